// What the model in docs/model says of a removal: the configurations without the rule, and how the table tells of them.

import { type Configuration, configurations } from "../model/configurations.ts";

/** What the model calls otherwise. */
const SPELLED: Readonly<Record<string, string>> = { "same lease": "HOLDER_VERSION", "take-over": "TAKE_OVER" };

/** Rules about how long something takes, or how often it happens within a time: no model has a clock. */
const ABOUT_TIME: readonly string[] = ["R14", "R20"];

/** Every configuration without exactly this: `R9 kill` is `NO_R9_KILL` there. Half a rule is not the whole of it. */
export function modelsWithout(rule: string): readonly Configuration[] {
  const spelled = SPELLED[rule] ?? rule.toUpperCase().replace(" ", "_");
  return configurations.filter(({ defines }) => defines.includes(`NO_${spelled}`));
}

export function spinOf(rule: string): string {
  const models = modelsWithout(rule);
  const broken = models.filter(({ breaks }) => breaks !== null);
  if (ABOUT_TIME.includes(rule)) return "not expressible: time";
  if (broken.length === 0) return "no switch";
  const cells = new Set(broken.map(({ model, breaks }) => `${model}: ${promiseOf(breaks ?? "")}`));
  return `${[...cells].join("; ")}${broken.every(isBare) ? beside(models) : ""}`;
}

/** The model without R12's intents and without a roll back: what breaks there alone is a second line. */
const isBare = ({ defines }: Configuration): boolean => defines.includes("BARE");

const beside = (models: readonly Configuration[]): string =>
  models.some((each) => each.breaks === null && !isBare(each))
    ? " only in a model without R12's intents and without roll back (`BARE`); with all the rest in force **nothing breaks**"
    : " only in `BARE`";

/** `L1_every_publication ...` is L1; `R17_a_pause_lasts` is the rule itself, said in words. */
const promiseOf = (assertion: string): string =>
  assertion.startsWith("R")
    ? assertion.replace(/^R\d+_/, "").replaceAll("_", " ")
    : (assertion.split("_")[0] ?? assertion);
