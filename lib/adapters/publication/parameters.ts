// The parameters of a group in SSM: `topology`, JSON that carries its epoch; `primary`, `host:port`, and `readers`,
// `host:port,host:port`, for people and simple applications. PutParameter has no condition: whoever comes last wins, also the one that stalled (S2). What there
// is instead is a version number that grows by one with each write, so that a writer can tell afterwards whether it wrote
// over something it had not read. Then it reads what it overwrote and, when that was newer, puts it back itself.
// `topology` leads, the others are always derived from it.

import { setTimeout as sleep } from "node:timers/promises";
import {
  GetParameterCommand,
  type GetParameterCommandOutput,
  GetParametersCommand,
  type Parameter,
  PutParameterCommand,
  type SSMClient,
} from "@aws-sdk/client-ssm";
import type { Item } from "../../core/ballot-write.ts";
import { PortError, RecordFormatError } from "../../core/errors.ts";
import { comparePublications, isOfAnother, saysTheSame } from "../../core/publication.ts";
import { decodePublication } from "../../core/record-format.ts";
import type { Publication } from "../../core/records.ts";
import type { GroupName } from "../../core/types.ts";
import type { PublishOutcome } from "../../ports/publisher.ts";
import { type Called, type CallLimits, call, isNamed, pauseMs } from "../aws/call.ts";
import { addressText, orderText, readersText } from "./publication-text.ts";

const LIMITS: CallLimits = { attemptTimeoutMs: 1_500, totalMs: 4_000, attempts: 5 };
/** Read, put, read back is two; the rest is for others that write at the same time. */
const ROUNDS = 6;
/** So many writes by others between our reading and our writing are looked at, newest first. */
const OVERWRITTEN_LOOKED_AT = 5;

interface Seen {
  readonly topology: Parameter | null;
  readonly primary: Parameter | null;
  readonly readers: Parameter | null;
}

/** What the topology's text says. */
type Standing =
  | { readonly kind: "publication"; readonly publication: Publication }
  /** None, or a text that no Valkeeper has written: it says no epoch, and is replaced. */
  | { readonly kind: "nothing" }
  | { readonly kind: "newer-schema" };

export function publishParameters(options: {
  readonly ssm: SSMClient;
  readonly publication: Publication;
  readonly prefix: string;
}): Promise<PublishOutcome> {
  const { publication, prefix } = options;
  return new Parameters(options.ssm, publication, `${prefix}/${publication.group}`).publish();
}

/** The topology that stands; null when there is none, or one that says nothing. */
export async function standingTopology(options: {
  readonly ssm: SSMClient;
  readonly group: GroupName;
  readonly prefix: string;
}): Promise<Publication | null> {
  const name = `${options.prefix}/${options.group}/topology`;
  const command = new GetParameterCommand({ Name: name });
  const answer: Called<GetParameterCommandOutput> = await call(
    (abortSignal) => options.ssm.send(command, { abortSignal }),
    LIMITS,
  );
  if (answer.kind === "failed" && isNamed(answer.failure.error, "ParameterNotFound")) return null;
  const standing = standingOf(orThrow("GetParameter", answer).Parameter ?? null);
  if (standing.kind === "newer-schema") throw new RecordFormatError(`${name} is of a newer version: update Valkeeper`);
  return standing.kind === "publication" ? standing.publication : null;
}

class Parameters {
  readonly #ssm: SSMClient;
  readonly #ours: Publication;
  readonly #topologyName: string;
  readonly #primaryName: string;
  readonly #readersName: string;
  /** Ours, or a newer one that we found we had written over. */
  #wanted: Publication;
  #changed = false;

  constructor(ssm: SSMClient, ours: Publication, folder: string) {
    this.#ssm = ssm;
    this.#ours = ours;
    this.#wanted = ours;
    this.#topologyName = `${folder}/topology`;
    this.#primaryName = `${folder}/primary`;
    this.#readersName = `${folder}/readers`;
  }

  async publish(): Promise<PublishOutcome> {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const ended = await this.#round();
      if (ended !== null) return ended;
      if (round > 2) await sleep(pauseMs(round));
    }
    return { kind: "failed", detail: `${this.#topologyName} or what follows from it is being overwritten by others` };
  }

  /** Reads all and puts what differs; null: something was put, and is to be read back. */
  async #round(): Promise<PublishOutcome | null> {
    const seen = await this.#read();
    const standing = standingOf(seen.topology);
    if (standing.kind === "newer-schema") {
      return { kind: "failed", detail: `${this.#topologyName} is of a newer version: update Valkeeper` };
    }
    if (standing.kind === "publication") {
      const order = comparePublications(standing.publication, this.#wanted);
      // What we have written over is put back first, whoever it belongs to.
      if (order >= 0 && !this.#changed && isOfAnother(standing.publication, this.#ours.table)) {
        // Taking turns would help nobody, and which of the two deployments is to go is not ours to say.
        const detail = `${this.#topologyName} was published from another table, ${standing.publication.table}: two deployments look after this group, remove it from one`;
        return { kind: "failed", detail };
      }
      if (order > 0) {
        // A newer one stands. Nothing of it is ours to mend, unless this call has put anything beside it.
        if (!this.#changed) return this.#superseded(standing.publication);
        this.#wanted = standing.publication;
      } else if (order === 0 && standing.publication.primary.node !== this.#wanted.primary.node) {
        // S1: one epoch has one primary. Another deployment of this name publishes here; taking turns would help nobody.
        return { kind: "failed", detail: `${this.#topologyName} names another primary for ${orderText(this.#wanted)}` };
      }
    }
    const isStanding = standing.kind === "publication" && saysTheSame(standing.publication, this.#wanted);
    if (!isStanding && !(await this.#putTopology(seen.topology))) return null;
    // The primary first: it is what everybody waits for.
    const isPrimaryStanding = await this.#keep(
      this.#primaryName,
      addressText(this.#wanted.primary.address),
      seen.primary,
    );
    const areReadersStanding = await this.#keep(this.#readersName, readersText(this.#wanted), seen.readers);
    return isStanding && isPrimaryStanding && areReadersStanding ? this.#ended() : null;
  }

  /** False: it said something else, and was put. */
  async #keep(name: string, value: string, seen: Parameter | null): Promise<boolean> {
    if (seen?.Value === value) return true;
    await this.#put(name, value, seen);
    return false;
  }

  #ended(): PublishOutcome {
    if (comparePublications(this.#wanted, this.#ours) > 0) return this.#superseded(this.#wanted);
    return { kind: "applied", changed: this.#changed };
  }

  #superseded(by: Publication): PublishOutcome {
    return { kind: "superseded", detail: `${this.#topologyName} says ${orderText(by)}` };
  }

  async #read(): Promise<Seen> {
    const command = new GetParametersCommand({ Names: [this.#topologyName, this.#primaryName, this.#readersName] });
    const answer = await call((abortSignal) => this.#ssm.send(command, { abortSignal }), LIMITS);
    const { Parameters = [] } = orThrow("GetParameters", answer);
    const named = (name: string) => Parameters.find((each) => each.Name === name) ?? null;
    return {
      topology: named(this.#topologyName),
      primary: named(this.#primaryName),
      readers: named(this.#readersName),
    };
  }

  /** False when a newer one was written over: it is what is wanted now, and the others must not be put for ours. */
  async #putTopology(seen: Parameter | null): Promise<boolean> {
    const put = this.#wanted;
    const version = await this.#put(this.#topologyName, JSON.stringify(put), seen);
    const seenVersion = seen?.Version ?? 0;
    if (version === null) return false;
    for (let lost = version - 1; lost > seenVersion && lost >= version - OVERWRITTEN_LOOKED_AT; lost -= 1) {
      const standing = standingOf(await this.#readVersion(lost));
      if (standing.kind !== "publication") continue;
      if (comparePublications(standing.publication, this.#wanted) > 0) this.#wanted = standing.publication;
    }
    return this.#wanted === put;
  }

  /** The version that it became; null when somebody else created the parameter first. */
  async #put(name: string, value: string, seen: Parameter | null): Promise<number | null> {
    const command = new PutParameterCommand({
      Name: name,
      Value: value,
      Type: "String",
      // Two publishers find no parameter: the second must read what the first has created.
      Overwrite: seen !== null,
    });
    this.#changed = true;
    const answer = await call((abortSignal) => this.#ssm.send(command, { abortSignal }), LIMITS);
    if (answer.kind === "failed" && isNamed(answer.failure.error, "ParameterAlreadyExists")) return null;
    return orThrow("PutParameter", answer).Version ?? null;
  }

  async #readVersion(version: number): Promise<Parameter | null> {
    const command = new GetParameterCommand({ Name: `${this.#topologyName}:${version}` });
    const answer: Called<GetParameterCommandOutput> = await call(
      (abortSignal) => this.#ssm.send(command, { abortSignal }),
      LIMITS,
    );
    // More than a hundred writes later it is gone; then as many publishers have looked at it.
    if (answer.kind === "failed" && isNamed(answer.failure.error, "ParameterVersionNotFound")) return null;
    return orThrow("GetParameter", answer).Parameter ?? null;
  }
}

function standingOf(parameter: Parameter | null): Standing {
  const item = parsed(parameter?.Value ?? "");
  if (item === null) return { kind: "nothing" };
  const { schema } = item;
  if (typeof schema === "number" && schema > 1) return { kind: "newer-schema" };
  try {
    return { kind: "publication", publication: decodePublication(item) };
  } catch {
    // Edited by hand until it says nothing: it is replaced, as any other text there is.
    return { kind: "nothing" };
  }
}

function parsed(text: string): Item | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Item) : null;
  } catch {
    // Not JSON, so not ours.
    return null;
  }
}

function orThrow<T>(operation: string, answer: Called<T>): T {
  if (answer.kind === "answered") return answer.value;
  throw new PortError("publisher", `ssm ${operation}`, answer.failure.detail, answer.failure.error);
}
