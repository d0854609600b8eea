import type { ResourceRecordSet } from "@aws-sdk/client-route-53";
import { describe, expect, it } from "vitest";
import {
  planRecords,
  type RecordName,
  type RecordsSeen,
  readTwin,
  recordNames,
} from "../../../lib/adapters/publication/record-plan.ts";
import type { Publication } from "../../../lib/core/records.ts";
import { epoch, groupName, nodeId, wallTime } from "../../../lib/core/types.ts";

const dns = { hostedZoneId: "Z1", name: "primary.example.com", ttlSeconds: 5, of: "primary" } as const;

function publicationOf(host: string, order: { epoch?: number; revision?: number } = {}): Publication {
  return {
    schema: 1,
    table: "table-1",
    group: groupName("mymaster"),
    epoch: epoch(order.epoch ?? 7),
    revision: order.revision ?? 0,
    primary: { node: nodeId("n2"), address: { host, port: 6379 } },
    replicas: [],
    at: wallTime(0),
  };
}

const record = (Type: "A" | "AAAA" | "CNAME", Value: string, TTL = 5): ResourceRecordSet => ({
  Name: "primary.example.com.",
  Type,
  TTL,
  ResourceRecords: [{ Value }],
});
const twin = (text: string): ResourceRecordSet => ({
  Name: "_valkeeper.primary.example.com.",
  Type: "TXT",
  TTL: 5,
  ResourceRecords: [{ Value: `"${text}"` }],
});
const seen = (changes: Partial<RecordsSeen> = {}): RecordsSeen => ({ addresses: [], twin: null, ...changes });

/** `DELETE A 10.0.0.1, CREATE A 10.0.0.2 ...`, or the kind of plan and its detail. */
function planned(from: RecordsSeen, publication: Publication): string {
  const plan = planRecords(from, publication, dns);
  if (plan.kind === "stands") return "stands";
  if (plan.kind !== "change") return `${plan.kind}: ${plan.detail}`;
  const texts = plan.changes.map(({ Action, ResourceRecordSet: set }) => {
    return `${Action} ${set?.Type} ${set?.TTL} ${set?.ResourceRecords?.map((each) => each.Value).join(" ")}`;
  });
  return texts.join(", ");
}

describe("what changes at a DNS name", () => {
  it("creates both records where there is nothing", () => {
    expect(planned(seen(), publicationOf("10.0.0.2"))).toBe(
      'CREATE A 5 10.0.0.2, CREATE TXT 5 "v=1 epoch=7 revision=0 primary=10.0.0.2:6379"',
    );
  });

  it.each([
    ["10.0.0.2", "A 5 10.0.0.2"],
    ["2001:0DB8:0::2", "AAAA 5 2001:db8::2"],
    ["cache-2.internal", "CNAME 5 cache-2.internal."],
    ["cache-2.internal.", "CNAME 5 cache-2.internal."],
  ])("takes the record's type from the host %s", (host, expected) => {
    expect(planned(seen(), publicationOf(host))).toContain(`CREATE ${expected},`);
  });

  it("replaces exactly what it read, both records in one batch", () => {
    const standing = seen({
      addresses: [record("A", "10.0.0.1")],
      twin: twin("v=1 epoch=6 revision=3 primary=10.0.0.1:6379"),
    });
    expect(planned(standing, publicationOf("10.0.0.2"))).toBe(
      [
        "DELETE A 5 10.0.0.1",
        'DELETE TXT 5 "v=1 epoch=6 revision=3 primary=10.0.0.1:6379"',
        "CREATE A 5 10.0.0.2",
        'CREATE TXT 5 "v=1 epoch=7 revision=0 primary=10.0.0.2:6379"',
      ].join(", "),
    );
  });

  it("S2: leaves a newer publication alone, whatever the address record says", () => {
    const standing = seen({
      addresses: [record("A", "10.9.9.9")],
      twin: twin("v=1 epoch=7 revision=1 primary=10.0.0.3:6379"),
    });
    expect(planned(standing, publicationOf("10.0.0.2"))).toMatch(/^superseded: .*epoch 7, revision 1/);
  });

  it("does nothing where it stands already", () => {
    const standing = seen({
      addresses: [record("AAAA", "2001:DB8::2")],
      twin: twin("v=1 epoch=7 revision=0 primary=[2001:db8::2]:6379"),
    });
    expect(planned(standing, publicationOf("2001:db8::2"))).toBe("stands");
  });

  it("puts back what a person wrote beside our twin, and removes what a person added", () => {
    const ours = twin("v=1 epoch=7 revision=0 primary=10.0.0.2:6379");
    const byHand = seen({ addresses: [record("A", "10.9.9.9"), record("AAAA", "2001:db8::9")], twin: ours });
    expect(planned(byHand, publicationOf("10.0.0.2"))).toMatch(
      /^DELETE A 5 10\.9\.9\.9, DELETE AAAA 5 2001:db8::9, DELETE TXT .*, CREATE A 5 10\.0\.0\.2, CREATE TXT/,
    );
    expect(planned(seen({ twin: ours }), publicationOf("10.0.0.2"))).toMatch(/^DELETE TXT .*, CREATE A .*, CREATE TXT/);
  });

  it("changes the time to live when another one was declared", () => {
    const standing = seen({
      addresses: [record("A", "10.0.0.2", 60)],
      twin: twin("v=1 epoch=7 revision=0 primary=10.0.0.2:6379"),
    });
    expect(planned(standing, publicationOf("10.0.0.2"))).toMatch(/^DELETE A 60 10\.0\.0\.2, .*CREATE A 5 10\.0\.0\.2/);
  });

  it("refuses a record that somebody else made, and says what to do", () => {
    const foreign = seen({ addresses: [record("CNAME", "www.example.com.")] });
    expect(planned(foreign, publicationOf("10.0.0.2"))).toBe(
      "failed: primary.example.com was not made by Valkeeper (no TXT record at _valkeeper.primary.example.com): it is CNAME www.example.com.; remove it, or make it A 10.0.0.2",
    );
    const alias = {
      Name: "primary.example.com.",
      Type: "A",
      AliasTarget: { DNSName: "lb.example.com." },
    } as ResourceRecordSet;
    expect(planned(seen({ addresses: [alias] }), publicationOf("10.0.0.2"))).toMatch(/an alias of lb\.example\.com/);
    const weighted = { ...record("A", "10.0.0.2"), SetIdentifier: "blue", Weight: 1 };
    expect(planned(seen({ addresses: [weighted] }), publicationOf("10.0.0.2"))).toMatch(/^failed/);
  });

  it("adopts a record that says already what it would say", () => {
    const equal = seen({ addresses: [record("A", "10.0.0.2", 300)] });
    expect(planned(equal, publicationOf("10.0.0.2"))).toMatch(
      /^DELETE A 300 10\.0\.0\.2, CREATE A 5 10\.0\.0\.2, CREATE TXT/,
    );
  });

  it("S1: does not take turns with another deployment that publishes another primary under the same epoch", () => {
    const standing = seen({
      addresses: [record("A", "10.0.0.3")],
      twin: twin("v=1 epoch=7 revision=0 primary=10.0.0.3:6379"),
    });
    expect(planned(standing, publicationOf("10.0.0.2"))).toMatch(/^failed: .*another group publishes there/);
  });

  it("holds before a twin of a newer version", () => {
    const newer = seen({ addresses: [record("A", "10.0.0.1")], twin: twin("v=2 something else") });
    expect(planned(newer, publicationOf("10.0.0.2"))).toMatch(/^failed: .*newer version/);
  });

  it("replaces a twin that was edited until it says nothing", () => {
    const edited = seen({ addresses: [record("A", "10.0.0.1")], twin: twin("hello") });
    expect(planned(edited, publicationOf("10.0.0.2"))).toMatch(/^DELETE A .*, DELETE TXT 5 "hello", CREATE A/);
  });
});

describe("what changes at the readers' name", () => {
  const names = recordNames({ ...dns, readersName: "readers.example.com" });
  const readersAt = (primary: string, ...hosts: readonly string[]): Publication => ({
    ...publicationOf(primary),
    replicas: hosts.map((host, index) => ({ node: nodeId(`r${index}`), address: { host, port: 6379 } })),
  });
  const created = (publication: Publication): readonly string[] => {
    const plan = planRecords(seen(), publication, names[1] as RecordName);
    if (plan.kind !== "change") return [plan.kind, "detail" in plan ? plan.detail : ""];
    return plan.changes.map(({ ResourceRecordSet: set }) => {
      return `${set?.Name} ${set?.Type} ${set?.ResourceRecords?.map((each) => each.Value).join(" ")}`;
    });
  };
  const twinOfReaders = '_valkeeper.readers.example.com TXT "v=1 epoch=7 revision=0 primary=10.0.0.2:6379"';

  it("is a name of its own, if there is one", () => {
    expect(recordNames(dns).map((each) => [each.name, each.of])).toEqual([["primary.example.com", "primary"]]);
    expect(names.map((each) => [each.name, each.of])).toEqual([
      ["primary.example.com", "primary"],
      ["readers.example.com", "readers"],
    ]);
  });

  it("has one value for each address, whatever the order of nodes and spelling", () => {
    expect(created(readersAt("10.0.0.2", "10.0.0.3", "10.0.0.1", "10.0.0.3"))).toEqual([
      "readers.example.com A 10.0.0.1 10.0.0.3",
      twinOfReaders,
    ]);
    const standing = seen({
      addresses: [
        { ...record("A", "10.0.0.3"), ResourceRecords: [{ Value: "10.0.0.3" }, { Value: "10.0.0.1" }] },
        { ...record("AAAA", "2001:DB8::1") },
      ],
      twin: twin("v=1 epoch=7 revision=0 primary=10.0.0.2:6379"),
    });
    const publication = readersAt("10.0.0.2", "2001:db8:0::1", "10.0.0.1", "10.0.0.3");
    expect(planRecords(standing, publication, names[1] as RecordName)).toEqual({ kind: "stands" });
    const without = readersAt("10.0.0.2", "2001:db8::1", "10.0.0.1");
    expect(planRecords(standing, without, names[1] as RecordName).kind).toBe("change");
  });

  it("has the primary while no replica is fit, or none at an address", () => {
    expect(created(readersAt("10.0.0.2"))).toEqual(["readers.example.com A 10.0.0.2", twinOfReaders]);
    expect(created(readersAt("10.0.0.2", "found.internal"))[0]).toBe("readers.example.com A 10.0.0.2");
    expect(created(readersAt("10.0.0.2", "found.internal", "10.0.0.3"))[0]).toBe("readers.example.com A 10.0.0.3");
    expect(created(readersAt("cache-2.internal", "cache-1.internal"))).toEqual([
      "failed",
      "readers.example.com needs IP addresses and the readers are at cache-1.internal: a name (CNAME) cannot stand there",
    ]);
  });
});

describe("the twin's text", () => {
  it("carries the order and the address", () => {
    expect(readTwin(twin("v=1 epoch=16777215 revision=12 primary=[2001:db8::2]:6379"))).toEqual({
      kind: "order",
      order: { epoch: 16_777_215, revision: 12 },
      primary: "[2001:db8::2]:6379",
    });
  });

  it.each(["", "v=1", "v=1 epoch=x revision=0 primary=a:1", "v=1 epoch=7 revision=0 primary=a:1 more", "epoch=7"])(
    "is unreadable: %j",
    (text) => {
      expect(readTwin(twin(text))).toEqual({ kind: "unreadable" });
    },
  );

  it("is unreadable when there is more than one value", () => {
    const two = twin("v=1 epoch=7 revision=0 primary=a:1");
    const values = [...(two.ResourceRecords ?? []), { Value: '"x"' }];
    expect(readTwin({ ...two, ResourceRecords: values })).toEqual({ kind: "unreadable" });
  });
});
