import { describe, expect, it } from "vitest";
import { CredentialsBook, type StoredReference } from "../../../lib/adapters/credentials/credentials-book.ts";
import { groupName, instant } from "../../../lib/core/types.ts";

const group = groupName("mymaster");
const reference: StoredReference = { kind: "secrets-manager", user: "valkeeper", secretId: "valkey/coordinator" };

/** A store whose answers are given by hand, and a clock that is set by hand. */
function world() {
  const reads: StoredReference[] = [];
  let answer: () => Promise<string> = async () => "first";
  let at = 0;
  const book = new CredentialsBook(
    (asked) => {
      reads.push(asked);
      return answer();
    },
    { now: () => instant(at) },
  );
  return {
    book,
    reads,
    answerWith: (next: () => Promise<string>) => {
      answer = next;
    },
    pass: (ms: number) => {
      at += ms;
    },
  };
}

describe("the credentials of a group", () => {
  it("are read once, however many ask", async () => {
    const { book, reads } = world();
    expect(await Promise.all([book.load(group, reference), book.load(group, reference)])).toEqual([null, null]);
    await book.load(group, reference);
    expect(reads).toHaveLength(1);
    expect(book.current(group, reference)).toEqual({ user: "valkeeper", password: "first", previousUser: null });
  });

  it("are read again when a node refuses them, and not again at once", async () => {
    const { book, reads, answerWith, pass } = world();
    await book.load(group, reference);
    answerWith(async () => "second");
    await book.readAgain(group, reference);
    expect(book.current(group, reference).password).toBe("first");
    pass(5_000);
    await book.readAgain(group, reference);
    expect(book.current(group, reference).password).toBe("second");
    await book.readAgain(group, reference);
    expect(reads).toHaveLength(2);
  });

  it("stay what they were while the store is away", async () => {
    const { book, answerWith, pass } = world();
    await book.load(group, reference);
    answerWith(() => Promise.reject(new Error("away")));
    pass(5_000);
    await book.readAgain(group, reference);
    expect(book.current(group, reference).password).toBe("first");
    expect(await book.load(group, reference)).toBeNull();
  });

  it("that could not be read are a reason in words, and are tried again", async () => {
    const { book, answerWith, pass } = world();
    answerWith(() => Promise.reject(new Error("AccessDenied")));
    expect(await book.load(group, reference)).toBe("AccessDenied");
    expect(await book.load(group, reference)).toBe("AccessDenied");
    answerWith(async () => "first");
    pass(5_000);
    expect(await book.load(group, reference)).toBeNull();
  });

  it("name who voters were before the user was changed, so that those are cut off too", async () => {
    const { book } = world();
    await book.load(group, reference);
    const renamed = { ...reference, user: "valkeeper-2" };
    await book.load(group, renamed);
    expect(book.current(group, renamed)).toMatchObject({ user: "valkeeper-2", previousUser: "valkeeper" });
  });

  it("need no reading when there are none", async () => {
    const { book, reads } = world();
    expect(await book.load(group, { kind: "none", user: "default" })).toBeNull();
    expect(book.current(group, { kind: "none", user: "default" }).password).toBeNull();
    expect(reads).toHaveLength(0);
  });
});
