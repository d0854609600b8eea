// docs/cost.md as text. Every figure in it is calculated here; sentences that compare figures are chosen by them.

import { fileURLToPath } from "node:url";
import { Egress } from "../../lib/constructs/egress.ts";
import { DEFAULTS, IRREGULAR_INTERVAL_MS } from "../../lib/core/config.ts";
import { publisherTimeoutMs } from "../../lib/runtime/timing.ts";
import { elastiCache, NODE_SIZES, type NodeSize, ownNodes, sentinelHosts, sentinelProbes } from "./alternatives.ts";
import { readUnits, writeUnits } from "./capacity.ts";
import { EGRESSES, type Inventory, inventoryOf } from "./inventory.ts";
import {
  ASSUMED,
  FULL_BALLOT_BYTES,
  HEADER_BYTES,
  ITEM_BYTES,
  NEW_TABLE,
  PROBE_BYTES,
  slotBytes,
  VOTER_MEGABYTES,
  WORST_SECOND,
} from "./measured.ts";
import {
  GROUPS_PER_VOTER,
  type Installation,
  LINES,
  type Line,
  type LineId,
  monthOf,
  shardsOf,
  totalOf,
} from "./month.ts";
import { FREE, HOURS_PER_MONTH, PRICED_ON, PRICES, REGION } from "./prices.ts";
import { INVOCATION_MS, publisherMinute, sumOf, type Traffic, voterMinute } from "./traffic.ts";

export const DOCUMENT = fileURLToPath(new URL("../../docs/cost.md", import.meta.url));

const SIZES = [1, 10, 100, 1_000] as const;
const NAT_ZONES = 3;
/** Of one deployment: ten shards of two hundred, voter-shards.ts. */
const MOST_GROUPS = 2_000;

type Inventories = ReadonlyMap<string, Inventory>;

export function renderCost(): string {
  const inventories: Inventories = new Map(EGRESSES.map((egress) => [egress.name, inventoryOf(egress)]));
  const inventory = of(inventories, "none");
  const watched = inventoryOf(Egress.NONE, { isWatched: true });
  const onHosts = inventoryOf(Egress.NONE, { isWatched: true, isOnHosts: true });
  return [
    ...heading(),
    ...inShort(inventories),
    ...monthSection(inventories),
    ...madeOfSection(inventory),
    ...againstSection(inventory),
    ...lowerSection(inventory, watched),
    ...hostsSection(watched, onHosts),
    ...minuteSection(),
    ...lossSection(),
    ...restsOnSection(inventory),
    ...pricesSection(),
  ]
    .join("\n")
    .concat("\n");
}

const of = (inventories: Inventories, egress: string): Inventory => {
  const inventory = inventories.get(egress);
  if (inventory === undefined) throw new Error(`no inventory of egress ${egress}`);
  return inventory;
};

const month = (installation: Installation, isFreeTierLeft = false): readonly Line[] =>
  monthOf(installation, { isFreeTierLeft });
const total = (installation: Installation, isFreeTierLeft = false): number =>
  totalOf(month(installation, isFreeTierLeft));

const usd = (value: number): string =>
  value < 100 ? `$${value.toFixed(2)}` : `$${Math.round(value).toLocaleString("en-US")}`;
const change = (value: number): string =>
  Math.abs(value) < 0.005 ? "0" : `${value < 0 ? "-" : "+"}${usd(Math.abs(value))}`;
const count = (value: number): string => Number(value.toFixed(1)).toLocaleString("en-US");

const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  row(head),
  row(head.map((_, index) => (index === 0 ? "---" : "---:"))),
  ...rows.map(row),
];
const sizeHead = (first: string): string[] => [
  first,
  ...SIZES.map((groups) => `${groups.toLocaleString("en-US")} ${groups === 1 ? "group" : "groups"}`),
];

function heading(): string[] {
  return [
    "# What it costs",
    "",
    `Written by \`npm run cost\` from the prices of ${PRICED_ON} (${REGION}, US dollars, a month of ${HOURS_PER_MONTH} hours; listed at the`,
    "end), the constants of the code, and the template that the construct synthesizes. Quiet groups of three nodes in three",
    "zones, three voters, every setting by default, in continuous mode; what an account has free each month is left out. Lines that",
    "differ say so. Calculated, not taken from a bill.",
    "",
  ];
}

function inShort(inventories: Inventories): string[] {
  const inventory = of(inventories, "none");
  const each = (groups: number): number => total({ groups, inventory }) / groups;
  const compute = amountOf(month({ groups: 1, inventory }), "compute");
  const hosts = sentinelHosts("t4gNanoHour");
  const egress = (name: string, natGateways = 0): number =>
    amountOf(month({ groups: 1, inventory: of(inventories, name), natGateways }), "egress");
  return [
    "## In short",
    "",
    `- One group costs ${usd(each(1))} a month, most of it for three functions that always run (${usd(compute)}). They are shared: of ten`,
    `  groups each costs ${usd(each(10))}, of a hundred ${usd(each(100))}.`,
    `- Sentinel is cheaper: three t4g.nano with disks are ${usd(hosts)} for all groups together, and Sentinels on the data nodes`,
    "  nothing but what they send. Cost is no reason to change; hosts to look after may be one.",
    `- Egress can cost more than the voters: ${usd(egress("endpoints"))} for interface endpoints, ${usd(egress("nat", 1))} for each NAT gateway, nothing for`,
    "  `none` and `dualStack`.",
    `- With many groups it is ${listOf(topLines(month({ groups: 100, inventory }), 3))}`,
    "  that cost, each in proportion to the groups.",
    "",
  ];
}

const amountOf = (lines: readonly Line[], id: LineId): number => lines.find((line) => line.id === id)?.usd ?? 0;

const topLines = (lines: readonly Line[], many: number): string[] => {
  const all = totalOf(lines);
  return lines
    .toSorted((left, right) => right.usd - left.usd)
    .slice(0, many)
    .map((line) => `${LINES[line.id]} (${Math.round((100 * line.usd) / all)} %)`);
};

const listOf = (words: readonly string[]): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;

function monthSection(inventories: Inventories): string[] {
  const none = of(inventories, "none");
  const line = (title: string, installation: Omit<Installation, "groups">, isFreeTierLeft = false): string[] => [
    title,
    ...SIZES.map((groups) => usd(total({ ...installation, groups }, isFreeTierLeft))),
  ];
  const nat = of(inventories, "nat");
  const deployments = shardsOf(1_000).length;
  const two = 2 * GROUPS_PER_VOTER;
  return [
    "## A month",
    "",
    ...table(sizeHead("egress"), [
      line("`none`", { inventory: none }),
      line("`dualStack`", { inventory: of(inventories, "dualStack") }),
      line("`nat`, one gateway", { inventory: nat, natGateways: 1 }),
      line("`nat`, a gateway in each zone", { inventory: nat, natGateways: NAT_ZONES }),
      line("`endpoints`", { inventory: of(inventories, "endpoints") }),
      line("`none`, and nothing else in the account uses the free tier", { inventory: none }, true),
      line("`economy`, `none`", { inventory: none, mode: "economy" }),
    ]),
    "",
    `- Up to ${GROUPS_PER_VOTER} groups are one deployment here; 1,000 are ${deployments}, each with voters and a table of its own. The endpoints, or the`,
    "  gateway, are paid for once: they belong to the VPC.",
    `- One deployment can have several shards of voters instead ([deploy.md](deploy.md#many-groups)): ${two} groups in two shards are`,
    `  ${usd(total({ groups: two, inventory: none, isSharded: true }))}, in two deployments ${usd(total({ groups: two, inventory: none }))}. A second shard that has no groups yet costs ${usd(emptyShard(none))}: its`,
    "  three functions run all the time. Each voter reads what is declared of every group of the deployment, whatever the shard.",
    "- A NAT gateway, or endpoints (`existingEndpoints`), that are there cost the voters nothing more. `none` is dearer than `dualStack` by",
    "  the key that encrypts the placed secret.",
    `- In \`economy\` mode ([deploy.md](deploy.md#economy-mode)) voters look once a minute. It is priced with ${ASSUMED.economyMs / 1_000} s of each function a minute,`,
    "  all groups well; while one is not, each minute costs what a continuous one does.",
    "",
  ];
}

/** What three more voters cost while they have nothing to look after. */
function emptyShard(inventory: Inventory): number {
  const ofOneShard = monthOf({ groups: 1, inventory }, { isFreeTierLeft: false });
  return amountOf(ofOneShard, "compute") + inventory.voters.length * PRICES.metricMonth.usd;
}

function madeOfSection(inventory: Inventory): string[] {
  const bySize = SIZES.map((groups) => month({ groups, inventory }));
  const ids = (Object.keys(LINES) as LineId[]).filter((id) => bySize.some((lines) => amountOf(lines, id) > 0));
  return [
    "## What it is made of",
    "",
    "Egress `none`.",
    "",
    ...table(sizeHead(""), [
      ...ids.map((id) => [LINES[id], ...bySize.map((lines) => usd(amountOf(lines, id)))]),
      ["**together**", ...bySize.map((lines) => `**${usd(totalOf(lines))}**`)],
      ["for each group", ...bySize.map((lines, index) => usd(totalOf(lines) / (SIZES[index] ?? 1)))],
    ]),
    "",
    ...SIZES.map(
      (groups, index) =>
        `- ${groups.toLocaleString("en-US")} ${groups === 1 ? "group" : "groups"}: ${listOf(topLines(bySize[index] ?? [], 2))} come first.`,
    ),
    "",
    "*Voters' computing time* is memory times time: a voter runs without a pause, and for about a second there are two.",
    "*Probes between zones*: each voter asks the nodes of two other zones, and who sends and who receives pay both.",
    "*Table writes*, and part of the reads, grow because what a voter writes about all its groups is one item, written and read",
    "as a whole.",
    "",
  ];
}

function againstSection(inventory: Inventory): string[] {
  const line = (title: string, amount: (groups: number) => number): string[] => [
    title,
    ...SIZES.map((groups) => usd(amount(groups))),
  ];
  return [
    "## Against Sentinel and ElastiCache",
    "",
    "Failover alone, the nodes left out:",
    "",
    ...table(sizeHead(""), [
      line("Valkeeper, egress `none`", (groups) => total({ groups, inventory })),
      line("three Sentinel hosts, t4g.nano", (groups) => sentinelHosts("t4gNanoHour") + sentinelProbes(groups)),
      line("three Sentinel hosts, t4g.micro", (groups) => sentinelHosts("t4gMicroHour") + sentinelProbes(groups)),
      line("Sentinels on the data nodes", (groups) => sentinelProbes(groups)),
    ]),
    "",
    "The same three Sentinels are taken to watch any number of groups, which is kind to them. What they send between zones is",
    "counted for them too. Nobody's working hours are in any line.",
    "",
    "With three nodes a group, since ElastiCache is nodes and failover in one:",
    "",
    ...(Object.keys(NODE_SIZES) as NodeSize[]).flatMap((size) => [
      ...table(sizeHead(NODE_SIZES[size].title), [
        line(
          "own nodes and Valkeeper, egress `none`",
          (groups) => ownNodes(size, groups) + total({ groups, inventory }),
        ),
        line("own nodes and Sentinels on them", (groups) => ownNodes(size, groups) + sentinelProbes(groups)),
        line(`ElastiCache, three nodes of the same size`, (groups) => elastiCache(size, groups)),
      ]),
      "",
      breakEven(size, inventory),
      "",
    ]),
  ];
}

const MOST_LOOKED_AT = 1_000;

/** From how many groups on own nodes with Valkeeper cost less than ElastiCache. */
function breakEven(size: NodeSize, inventory: Inventory): string {
  const more = elastiCache(size, 1) - ownNodes(size, 1);
  const counts = Array.from({ length: MOST_LOOKED_AT }, (_, index) => index + 1);
  const isCheaper = (groups: number): boolean => total({ groups, inventory }) < groups * more;
  const first = counts.find(isCheaper);
  const { title } = NODE_SIZES[size];
  const start = `ElastiCache is ${usd(more)} a group dearer than own ${title}`;
  if (first === undefined) return `${start}: less than Valkeeper costs, whatever the number of groups.`;
  return first === 1
    ? `${start}: more than Valkeeper costs for a single one.`
    : `${start}: own nodes with Valkeeper are the cheaper ones from ${first} groups on; below, consider ElastiCache.`;
}

interface Lever {
  readonly title: string;
  readonly installation?: Partial<Installation>;
  readonly isFreeTierLeft?: boolean;
  /** Alarms and dashboard. */
  readonly isWatched?: boolean;
}

const SLOWER_WATCH = { watchIntervalMs: 5_000 };
const SLOWER_HEARTBEAT = { heartbeatMs: 15_000 };
const SLOWER_PROBES = { probeIntervalMs: 1_000 };
/** With the slower probes: silence between two of them must not be a suspicion. */
const LATER_HOLD = { writeHoldAfterMs: 2_500 };

const named = (settings: Readonly<Record<string, number>>): string =>
  Object.entries(settings)
    .map(([name, value]) => `\`${name}\` ${value}`)
    .join(", ");

const LEVERS: readonly Lever[] = [
  { title: "free tier unused by others", isFreeTierLeft: true },
  { title: named(SLOWER_WATCH), installation: { settings: SLOWER_WATCH } },
  { title: named(SLOWER_HEARTBEAT), installation: { settings: SLOWER_HEARTBEAT } },
  { title: named({ ...SLOWER_PROBES, ...LATER_HOLD }), installation: { settings: SLOWER_PROBES } },
  {
    title: "these settings together",
    installation: { settings: { ...SLOWER_WATCH, ...SLOWER_HEARTBEAT, ...SLOWER_PROBES } },
  },
  { title: named({ voterMemoryMegabytes: 512 }), installation: { memoryMegabytes: 512 } },
  { title: named({ voterMemoryMegabytes: 1_024 }), installation: { memoryMegabytes: 1_024 } },
  { title: "`alarms` and `dashboard`", isWatched: true },
];

function lowerSection(inventory: Inventory, watched: Inventory): string[] {
  const memory = inventory.voters[0]?.memoryMegabytes ?? 0;
  const single = total({ groups: 1, inventory });
  const changed = ({ installation, isFreeTierLeft = false, isWatched = false }: Lever, groups: number): number =>
    total({ groups, inventory: isWatched ? watched : inventory, ...installation }, isFreeTierLeft) -
    total({ groups, inventory });
  return [
    "## How to lower it",
    "",
    "The difference that one change makes, egress `none`:",
    "",
    ...table(
      sizeHead("change"),
      LEVERS.map((lever) => [lever.title, ...SIZES.map((groups) => change(changed(lever, groups)))]),
    ),
    "",
    `- **One deployment for all groups.** Ten groups in one cost ${usd(total({ groups: 10, inventory }))}, in ten ${usd(10 * single)}.`,
    "- **Egress** `none` or `dualStack`: see above.",
    "- **`watchIntervalMs`**: what a voter learns from the table alone comes that much later: other voters' votes (a primary that is",
    "  cut off with its zone is silenced later, and loses more acknowledged writes), orders, somebody looking. How fast a",
    "  primary's fall is noticed does not depend on it. The smallest of a deployment's groups counts.",
    "- **`heartbeatMs`**: a voter that was not heard for three of them is shown as gone, and what `valkeeper status` shows is older.",
    `- **\`probeIntervalMs\`**: a fall is noticed up to one interval later; from then on every node is asked every ${IRREGULAR_INTERVAL_MS} ms. Raise`,
    "  `writeHoldAfterMs` to well above it, or the silence between two probes is a suspicion, which every voter writes into the",
    "  table again and again while nothing is wrong.",
    `- **Memory**: ${memory} MB are deployed. A voter of one group needs about ${VOTER_MEGABYTES} (the idle row of [benchmarks.md](benchmarks.md)): 128 are`,
    "  too few. Processor time comes with memory, a whole processor with 1,769 MB; what fifty groups need of either was not",
    "  measured yet, here (`npm run bench -- --only idle-50`) or on AWS.",
    ...alarmsText(inventory, watched),
    "",
  ];
}

function alarmsText(inventory: Inventory, watched: Inventory): string[] {
  const { alarmMonth, metricMonth, dashboardMonth } = PRICES;
  const { alarms, alarmMetrics, dashboards } = watched;
  const figures = inventory.steadyMetrics * metricMonth.usd;
  return [
    `- **Alarms** are paid for by deployment, not by group: ${alarms} of them read ${alarmMetrics} metrics at ${usd(alarmMonth.usd)}, a dashboard is ${usd(dashboards * dashboardMonth.usd)}.`,
    `  The ${inventory.steadyMetrics} figures that the functions report all the time are ${usd(figures)}, with or without alarms; the others are reported`,
    `  only when there is something to report. \`groupMetrics\` adds ${usd(metricMonth.usd)} for each group and condition that lasts all month.`,
    `  ${FREE.alarms} alarms, ${FREE.metrics} metrics and ${FREE.dashboards} dashboards are free in an account.`,
  ];
}

/** Of events that come some times a year: what one costs at most, and what is there all month. */
const EVENTS_AT_ONCE = 1_000;

function hostsSection(watched: Inventory, onHosts: Inventory): string[] {
  const each = (groups: number): number =>
    total({ groups, inventory: onHosts }) - total({ groups, inventory: watched });
  const calls = onHosts.hostFunctions.map(
    ({ memoryMegabytes, timeoutSeconds }) =>
      (memoryMegabytes / 1_024) * timeoutSeconds * PRICES.lambdaGbSecond.usd + PRICES.lambdaRequest.usd,
  );
  const [stop = 0, notice = 0] = calls.map((call) => call * EVENTS_AT_ONCE);
  const events = EVENTS_AT_ONCE.toLocaleString("en-US");
  return [
    "## Stopping hosts, and notices of AWS",
    "",
    "`hostStopping` and `nodesRunOn` add the stopper and the evacuator: functions that are called when there is something to do.",
    "",
    `- The stopper is a third reader of the table's stream. Lambda's reads of a stream are free; AWS recommends two readers of one`,
    "  shard at most, and where there are three reads may be throttled and records come a moment later ([decisions.md](decisions.md)).",
    `  It is called only while a stop is wished for: ${events} calls that each last as long as it may cost ${usd(stop)}.`,
    `- The evacuator is called by each notice about any instance of the region (and about each task of a named ECS cluster that`,
    `  stops); AWS's own events are free. ${events} calls of full length cost ${usd(notice)}; of a host without a node one takes a moment.`,
    `- With \`alarms\` one more for each of them, \`invocation-errors\`: ${change(each(1))} a month and deployment. No metric of their own.`,
    "",
  ];
}

function minuteSection(): string[] {
  const settings = DEFAULTS;
  const groups = GROUPS_PER_VOTER;
  const two = (one: readonly Traffic[], many: readonly Traffic[]): string[][] => [
    ...one.map((each, index) => [
      `${each.what} (${each.operation})`,
      ...figures([each]),
      ...figures(many.slice(index, index + 1)),
    ]),
    ["**together**", ...figures(one), ...figures(many)],
  ];
  const figures = (traffic: readonly Traffic[]): string[] => [
    count(sumOf(traffic, "requests")),
    count(sumOf(traffic, "readUnits")),
    count(sumOf(traffic, "writeUnits")),
  ];
  const head = (who: string): string[] => [
    who,
    ...["1 group: requests", "read units", "write units", `${groups} groups: requests`, "read units", "write units"],
  ];
  return [
    "## A quiet minute",
    "",
    `Of one voter, whose invocations last ${INVOCATION_MS / 1_000} s each, and of the publisher, which compares all copies once a minute. Reads are`,
    "billed by 4 KB an item (a query: all that it reads), half when they may be a little old; writes by 1 KB.",
    "",
    ...table(head("voter"), two(voterMinute({ groups: 1, settings }), voterMinute({ groups, settings }))),
    "",
    ...table(head("publisher"), two(publisherMinute(1), publisherMinute(groups))),
    "",
    "`test/cost/traffic.test.ts` holds this against the shipped loop, counted over simulated minutes, and",
    "`test/integ/table-traffic.test.ts` against voters and a publisher on real nodes with every request metered.",
    "",
    ...table(
      ["item", "bytes"],
      [
        ["ballot", count(ITEM_BYTES.ballot)],
        ["spec", count(ITEM_BYTES.spec)],
        ["publication", count(ITEM_BYTES.publication)],
        ["slot, 1 group", count(slotBytes(1))],
        [`slot, ${groups} groups`, count(slotBytes(groups))],
        ["a probe and its answer, headers included", count(PROBE_BYTES + HEADER_BYTES)],
      ],
    ),
    "",
  ];
}

function lossSection(): string[] {
  const { ballotWrites, historyLines, ballotReads } = WORST_SECOND;
  const writes = ballotWrites * writeUnits(FULL_BALLOT_BYTES) + historyLines;
  const reads = ballotReads * readUnits(FULL_BALLOT_BYTES, true);
  const fit = Math.floor(Math.min(NEW_TABLE.writeUnits / writes, NEW_TABLE.readUnits / reads));
  const most = GROUPS_PER_VOTER;
  return [
    "## When a zone is lost",
    "",
    "Every group whose primary was there asks at the same moment. In the worst second of a loss all voters of a group together",
    `write its ballot ${ballotWrites} times and ${historyLines} lines of history, and read the ballot ${ballotReads} times at most: ${writes} write units with a full`,
    `lineage, and ${reads} read units. A new on-demand table serves ${NEW_TABLE.writeUnits.toLocaleString("en-US")} and ${NEW_TABLE.readUnits.toLocaleString("en-US")} units a second, which is ${fit} such groups at once. For more`,
    `of them in one zone give the construct \`tableWarmThroughput\`: ${most} groups need ${(most * writes).toLocaleString("en-US")} write units and ${(most * reads).toLocaleString("en-US")} read units. AWS`,
    "charges once for raising it, and does not lower it again. A table that has too little turns requests away: votes and",
    "grants are tried again, and those failovers take that much longer.",
    "",
  ];
}

function restsOnSection(inventory: Inventory): string[] {
  const oneGroup = ASSUMED.publisherMs(1) / 1_000;
  const many = ASSUMED.publisherMs(GROUPS_PER_VOTER) / 1_000;
  return [
    "## What the figures rest on",
    "",
    "- Counted in the template: functions and their memory, schedules, endpoints, alarms, dashboards.",
    "- Measured on this project's own test machines: requests, sizes of items, bytes of a probe, the second in which two",
    "  invocations of a voter overlap, what Sentinels send.",
    `- Assumed: the publisher runs ${oneGroup} s a minute for one group and ${many} s for ${GROUPS_PER_VOTER}; ${count(ASSUMED.logBytesPerInvocation)} bytes of log an invocation; ${ASSUMED.diskGbPerHost} GB of disk a`,
    "  host; no cold starts; one secret for all groups.",
    `- The publisher's time follows \`shards\` times \`groupsPerVoter\`, ${publisherTimeoutMs(GROUPS_PER_VOTER) / 1_000} s for ${GROUPS_PER_VOTER} groups and ${publisherTimeoutMs(MOST_GROUPS) / 1_000} s for ${MOST_GROUPS.toLocaleString("en-US")}, the most of a`,
    `  deployment, and so does its memory, 256 MB for each 250. So many groups read their parameters ${Math.round(MOST_GROUPS / 60)} times a second, of the 40`,
    "  that Parameter Store serves an account unless more is asked for.",
    "- Taken for granted: a function's traffic to another zone of its VPC is billed as an instance's.",
    `- ${inventory.schedules} schedules call once a minute: with what is free, calls cost nothing for up to ${Math.floor(FREE.invocations / (inventory.schedules * 60 * HOURS_PER_MONTH))} deployments.`,
    "- Left out: replication between zones (the same for whoever watches), the hosted zone and its queries, storage and",
    "  backups of a table of a few megabytes, messages to topics, a group that is irregular for long, taxes, discounts.",
    "",
  ];
}

function pricesSection(): string[] {
  const basis = {
    aws: "AWS's page",
    "third-party": "third parties",
  } as const;
  return [
    "## Prices",
    "",
    `As of ${PRICED_ON}, ${REGION}, kept in \`test/cost/prices.ts\`. Other regions have others.`,
    "",
    ...table(
      ["a", "US dollars", "source", "by"],
      Object.values(PRICES).map((price) => [price.per, priceText(price.usd), price.source, basis[price.basis]]),
    ).map((line, index) => (index === 1 ? "| --- | ---: | --- | --- |" : line)),
    "",
    `Free each month: ${FREE.gbSeconds.toLocaleString("en-US")} GB-seconds and ${FREE.invocations.toLocaleString("en-US")} invocations of Lambda, ${FREE.schedulerCalls.toLocaleString("en-US")} calls of schedules,`,
    `${FREE.alarms} alarms, ${FREE.metrics} metrics, ${FREE.dashboards} dashboards, ${FREE.logsGb} GB of logs.`,
  ];
}

/** Of what is counted in millions, the price of a million. */
const priceText = (value: number): string =>
  value < 0.0001 ? `${Number((1e6 * value).toPrecision(6))} a million` : String(value);
