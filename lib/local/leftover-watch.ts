// What becomes of the children when this process is killed with SIGKILL, and no handler of ours runs? A small shell waits at the other end
// of a pipe: the system closes the pipe with this process, however it ended, and the shell then ends what is still noted. It lives in
// a session of its own, so that a Ctrl-C that ends everything else leaves it to its work.

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { Socket } from "node:net";

// One note a line: `p PID START` a process, `g PID START` a process with its group, `x PID` one that has ended, `d PATH` a folder, `c WORDS` a
// command to run, as for a network namespace. A process is ended only if it began when noted: ids are used again.
const script = `
trap '' INT TERM HUP
notes=
ended=' '
while IFS= read -r line; do
  case $line in
    x\\ *) ended="$ended\${line#x } " ;;
    *) notes="$notes$line
" ;;
  esac
done
# Programs first: a folder must not be removed under one that still writes to it.
printf '%s' "$notes" | while IFS= read -r line; do
  set -- $line
  case $1 in p|g) ;; *) continue ;; esac
  case $ended in *" $2 "*) continue ;; esac
  if [ -r "/proc/$2/stat" ]; then
    read -r stat < "/proc/$2/stat" || continue
    kind=$1 pid=$2 began=$3
    set -- \${stat##*) }
    [ "\${20}" = "$began" ] || continue
    set -- "$kind" "$pid"
  elif [ -d /proc/self ]; then
    continue
  fi
  if [ "$1" = g ]; then kill -s KILL -- "-$2"; else kill -s KILL "$2"; fi
done >/dev/null 2>&1
sleep 0.2
printf '%s' "$notes" | while IFS= read -r line; do
  case $line in
    d\\ *) rm -rf -- "\${line#d }" ;;
    c\\ *) set -- \${line#c }; "$@" ;;
  esac
done >/dev/null 2>&1
`;

export class LeftoverWatch {
  readonly #shell: ChildProcess;

  constructor() {
    this.#shell = spawn("/bin/sh", ["-c", script], { detached: true, stdio: ["pipe", "ignore", "ignore"], cwd: "/" });
    // Without a shell the exit handlers still clean up; only the case of SIGKILL is then not covered.
    this.#shell.on("error", () => undefined);
    this.#shell.stdin?.on("error", () => undefined);
    this.#shell.unref();
    // The pipe must not keep this process alive.
    if (this.#shell.stdin instanceof Socket) this.#shell.stdin.unref();
  }

  noteProcess(pid: number, withGroup: boolean): void {
    this.#note(`${withGroup ? "g" : "p"} ${pid} ${startTimeOf(pid) ?? "-"}`);
  }

  forgetProcess(pid: number): void {
    this.#note(`x ${pid}`);
  }

  noteFolder(path: string): void {
    this.#note(`d ${path}`);
  }

  /** Words without quoting: names of our own making only. */
  noteCommand(words: readonly string[]): void {
    this.#note(`c ${words.join(" ")}`);
  }

  /** The shell runs what is noted and ends; after an orderly end there is nothing left to do. */
  release(): void {
    this.#shell.stdin?.end();
  }

  #note(line: string): void {
    if (this.#shell.stdin?.writable === true) {
      this.#shell.stdin.write(`${line}\n`);
    }
  }
}

function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
