// Every row, in the order of the document. The limits are the project's goals; each row's own file says how it is measured.

import { hangRow, killRow } from "./failover-rows.ts";
import { emptyRow, returnRow, switchoverRow } from "./handover-rows.ts";
import { idleRow, manyGroupsRow } from "./idle-row.ts";
import { partitionRow } from "./partition-row.ts";
import type { Row } from "./row.ts";

export const ROWS: readonly Row[] = [
  killRow(5_000, { fast: 800, slow: 5_250 }),
  killRow(1_000, {}),
  killRow(500, { slow: 700 }),
  hangRow(5_000, 5_400),
  hangRow(1_000, 1_400),
  hangRow(500, 800),
  switchoverRow,
  returnRow,
  emptyRow,
  partitionRow,
  idleRow,
  manyGroupsRow,
];

/** What fits into five minutes. */
export const QUICK_ROWS: readonly string[] = ["kill-500", "hang-500", "switchover", "return", "idle"];
