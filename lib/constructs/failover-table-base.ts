// What every table of Valkeeper's offers, whoever made it: the rights on it.

import type { ITable } from "aws-cdk-lib/aws-dynamodb";
import type { Grant, IGrantable } from "aws-cdk-lib/aws-iam";
import { Construct, type IConstruct } from "constructs";
import * as grants from "./table-grants.ts";

/** A table of Valkeeper's, and the rights on it. */
export interface IFailoverTable extends IConstruct {
  readonly table: ITable;
  /** A voter: the groups' items, what is published, and its own slot: of `shard`, or of every shard. */
  grantVote(grantee: IGrantable, voter: string, shard?: number): Grant;
  /** The publisher: reads groups and what voters see of them, writes what is published. */
  grantPublish(grantee: IGrantable): Grant;
  /** The stopper: reads where the nodes are, and writes into a ballot how the stop of a host has ended. */
  grantStop(grantee: IGrantable): Grant;
  /** The evacuator: reads where the nodes are, and orders that a primary is handed over. */
  grantEvacuate(grantee: IGrantable): Grant;
  /** The registrar: what was declared; of a group that is taken out of the app also the rest, but for its history. */
  grantRegister(grantee: IGrantable): Grant;
  /** An operator: looks at everything, pauses, switches over; registers and changes no group. */
  grantOperate(grantee: IGrantable): Grant;
  /** An operator who also registers, changes and removes groups. */
  grantAdminister(grantee: IGrantable): Grant;
  /** An application: what is published of `group`, or of every group. */
  grantReadPublication(grantee: IGrantable, group?: string): Grant;
}

export abstract class FailoverTableBase extends Construct implements IFailoverTable {
  abstract readonly table: ITable;

  grantVote(grantee: IGrantable, voter: string, shard?: number): Grant {
    return grants.grantVote(this.table, grantee, voter, shard);
  }

  grantPublish(grantee: IGrantable): Grant {
    return grants.grantPublish(this.table, grantee);
  }

  grantStop(grantee: IGrantable): Grant {
    return grants.grantStop(this.table, grantee);
  }

  grantEvacuate(grantee: IGrantable): Grant {
    return grants.grantEvacuate(this.table, grantee);
  }

  grantRegister(grantee: IGrantable): Grant {
    return grants.grantRegister(this.table, grantee);
  }

  grantOperate(grantee: IGrantable): Grant {
    return grants.grantOperate(this.table, grantee);
  }

  grantAdminister(grantee: IGrantable): Grant {
    return grants.grantAdminister(this.table, grantee);
  }

  grantReadPublication(grantee: IGrantable, group?: string): Grant {
    return grants.grantReadPublication(this.table, grantee, group);
  }
}
