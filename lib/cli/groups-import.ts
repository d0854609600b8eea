// `valkeeper groups import FILE`: a sentinel.conf as the declarations that `groups add` takes, and every directive that
// none of them can hold. Nothing is asked and nothing changed by it but with --add, which registers them in mode observe.

import type { Command } from "commander";
import { ConfigurationError, messageOf } from "../core/errors.ts";
import type { Call, Environment } from "./environment.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { usage } from "./failure.ts";
import { listed, type Registered, readGiven, registerAll } from "./groups-add.ts";
import type { Host } from "./host.ts";
import { readSentinelConf } from "./sentinel-conf.ts";
import { type AddressLabel, groupsOf, type ImportedGroups, type Remark } from "./sentinel-groups.ts";

interface Options {
  readonly output?: string;
  readonly add?: true;
  readonly zone?: readonly string[];
  readonly id?: readonly string[];
  readonly user?: string;
  readonly secretId?: string;
  readonly secretParameter?: string;
  readonly tlsCa?: string;
  readonly voters?: string;
}

export function addGroupsImport(groups: Command, host: Host): void {
  groups
    .command("import")
    .argument("<file>", "a sentinel.conf, as a running Sentinel has written it")
    .description("converts a sentinel.conf into declarations, and says what they leave out")
    .option("--output <file>", "where the declarations go instead of standard output")
    .option("--add", "registers them, in mode observe")
    .option("--zone <address=zone>", "zone of a node, as in 10.0.1.7=az-a; once for each", listed)
    .option("--id <address=id>", "id of a node instead of n1, n2 ...; once for each", listed)
    .option("--user <name>", "the coordinator's user on the nodes, instead of auth-user")
    .option("--secret-id <name>", "Secrets Manager secret with its password")
    .option("--secret-parameter <name>", "SSM SecureString parameter with its password")
    .option("--tls-ca <file>", "certificate of the authority that signed the nodes' own")
    .option("--voters <ids>", "with --add: the voters, separated by commas; needed only before the first has run")
    .action((file: string, options: Options, command: Command) => {
      const json = command.optsWithGlobals<{ readonly json?: boolean }>().json === true;
      return options.add === true
        ? host.run(command, (call) => importGroups(call.environment, { file, json, options, call }))
        : host.runWithoutStore(command, () => importGroups(host.environment, { file, json, options, call: null }));
    });
}

interface Import {
  readonly file: string;
  readonly json: boolean;
  readonly options: Options;
  /** With --add. */
  readonly call: Call | null;
}

async function importGroups(environment: Environment, { file, json, options, call }: Import): Promise<ExitCode> {
  const { groups, remarks } = await convert(environment, file, options);
  for (const each of remarks) environment.screen.note(`${file}:${each.line}: ${remarkText(each)}`);
  if (options.output !== undefined) await save(environment, options.output, jsonText({ groups }));
  // Registered as it was declared, in mode observe: no voter adopts it, so there is nothing to wait for.
  const registered: readonly Registered[] | null =
    call === null ? null : await registerAll(call, groups, { voters: options.voters, waitMs: 0 });
  if (json) environment.screen.out(jsonText({ schema: 1, groups, remarks, registered }));
  else if (options.output === undefined && call === null) environment.screen.out(jsonText({ groups }));
  return EXIT.ok;
}

const jsonText = (value: unknown): string => JSON.stringify(value, null, 2);

const remarkText = ({ kind, directive, group, reason }: Remark): string =>
  `${kind}: ${directive}${group === null ? "" : ` ${group}`}: ${reason}`;

async function convert(environment: Environment, file: string, options: Options): Promise<ImportedGroups> {
  if (options.secretId !== undefined && options.secretParameter !== undefined) {
    throw usage("give either --secret-id or --secret-parameter");
  }
  const conf = readSentinelConf(await readGiven(environment, file));
  const imported = groupsOf(conf, {
    user: options.user ?? null,
    secretId: options.secretId ?? null,
    parameter: options.secretParameter ?? null,
    tlsCa: options.tlsCa === undefined ? null : await readGiven(environment, options.tlsCa),
    zones: (options.zone ?? []).map((text) => parseLabel("--zone", text)),
    ids: (options.id ?? []).map((text) => parseLabel("--id", text)),
  });
  if (imported.issues.length > 0) throw new ConfigurationError(file, imported.issues);
  return imported;
}

const ADDRESS = /^(?:\[(?<six>[^\]]+)\]|(?<host>[^:[\]]+))(?::(?<port>\d{1,5}))?$/;

/** `10.0.1.7=az-a`, `10.0.1.7:6379=az-a`, `fd00::7=az-a`, `[fd00::7]:6379=az-a`. */
function parseLabel(option: string, text: string): AddressLabel {
  const at = text.lastIndexOf("=");
  const [address, label] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)];
  const parts = ADDRESS.exec(address)?.groups;
  const host = parts?.["six"] ?? parts?.["host"] ?? (/^[0-9a-fA-F:.]+$/.test(address) ? address : undefined);
  if (host === undefined || label === "") {
    throw usage(
      `${option} ${text}: write ADDRESS=VALUE, as in ${option} 10.0.1.7=az-a or ${option} [fd00::7]:6379=az-a`,
    );
  }
  const port = parts?.["port"];
  return { text: `${option} ${text}`, host, port: port === undefined ? null : Number(port), label };
}

async function save(environment: Environment, path: string, text: string): Promise<void> {
  try {
    await environment.writeText(path, `${text}\n`);
  } catch (error) {
    throw usage(`${path} cannot be written: ${messageOf(error)}`);
  }
}
