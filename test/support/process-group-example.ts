// Started by the tests of ProcessGroup as a process of its own, to be ended in every way there is.

import { closeOnSignals, ProcessGroup } from "../../lib/local/process-group.ts";

const group = new ProcessGroup();
closeOnSignals(group);
const folder = group.makeFolder("example");
const program = await group.spawn({
  name: "outer",
  command: "sh",
  args: ["-c", "sleep 60 & echo $!; wait"],
  ownGroup: true,
  onLine: (line) => {
    process.stdout.write(`${JSON.stringify({ pid: program.pid, inner: Number(line), folder })}\n`);
    if (process.argv[2] === "throws") {
      setTimeout(() => {
        throw new Error("on purpose");
      }, 50);
    }
  },
});
await program.ended;
