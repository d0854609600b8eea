// Groups declared in the app become records of the table, through a function that CloudFormation calls: hosts may be
// known at deployment only, and a record that an operator has overridden since must be merged, not written over.

import { CustomResource, Duration, Stack } from "aws-cdk-lib";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct, type IDependable } from "constructs";
import type { DeclaredConfig } from "../core/config.ts";
import { VARIABLES } from "../runtime/environment.ts";
import { REGISTRAR_TIMEOUT_MS } from "../runtime/timing.ts";
import { BundledFunction } from "./bundled-function.ts";
import type { IFailoverTable } from "./failover-table-base.ts";
import type { FunctionParts } from "./function-parts.ts";
import { given } from "./given.ts";

export interface RegisteredGroupsProps {
  readonly table: IFailoverTable;
  readonly groups: readonly DeclaredConfig[];
  readonly voters: readonly string[];
  /** Functions that read what is registered. */
  readonly readers: IDependable[];
  /** Whether groups may ask for the stop of a host. */
  readonly hasStopper: boolean;
  /** How many shards of voters there are. */
  readonly shards: number;
  readonly groupsPerVoter: number;
  /** @default RetentionDays.THREE_MONTHS */
  readonly logRetention?: RetentionDays;
  /** @default - nothing is given */
  readonly parts?: FunctionParts;
}

export class RegisteredGroups extends Construct {
  readonly function: IFunction;

  constructor(scope: Construct, id: string, props: RegisteredGroupsProps) {
    super(scope, id);
    const registrar = new BundledFunction(this, "Registrar", {
      name: "registrar",
      description: "Valkeeper registrar: writes declared groups into the table",
      timeoutMs: REGISTRAR_TIMEOUT_MS,
      memoryMegabytes: 256,
      environment: {
        [VARIABLES.table]: props.table.table.tableName,
        [VARIABLES.voters]: props.voters.join(","),
        ...(props.hasStopper ? { [VARIABLES.stopper]: "true" } : {}),
        [VARIABLES.shards]: String(props.shards),
        [VARIABLES.groupsPerVoter]: String(props.groupsPerVoter),
      },
      ...given({ logRetention: props.logRetention, parts: props.parts }),
    });
    this.function = registrar.function;
    props.table.grantRegister(registrar.role);
    // Groups come after the registrar, and it after every voter: a setting that only the new version knows is registered when
    // every voter has that version, and no voter is deleted before its groups are. Said once: said by each group it is most of
    // a template of many, and CloudFormation takes 1 MB.
    registrar.function.node.addDependency(...props.readers);
    // A scope of their own, in which no name is taken. This id is no part of logical ids: with another logical id a group would be
    // another resource, and the registrar of an earlier version, which a roll back brings back, forgets a group whose old one goes.
    const declared = new Construct(this, "Default");
    for (const [index, group] of props.groups.entries()) {
      const resource = new CustomResource(declared, group.name, {
        resourceType: "Custom::ValkeyGroup",
        serviceToken: registrar.function.functionArn,
        serviceTimeout: Duration.millis(2 * REGISTRAR_TIMEOUT_MS),
        properties: {
          // As text: CloudFormation turns every number of a property into a string.
          Declaration: Stack.of(this).toJsonString(group),
          // With another table every group is declared anew: a resource whose properties stay is not called for.
          Table: props.table.table.tableName,
          ...placeOf(index, props.shards),
        },
      });
      // Its rights stand before it is called, and are taken away after it was called for the last time.
      resource.node.addDependency(registrar);
    }
  }
}

/**
 * All groups are registered at the same moment, and none sees where the others go. With another number of shards each is
 * registered anew, and moved if its shard is no more, before the voters of that shard are deleted.
 */
const placeOf = (index: number, shards: number): { [name: string]: string } =>
  shards === 1 ? {} : { Shard: String(index % shards), Shards: String(shards) };
