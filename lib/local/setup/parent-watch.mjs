// npm starts a script through a shell, and a shell that is ended does not tell the script. So what was started by npm also looks whether its
// parent is still there: whoever ends npm, with whatever signal, ends the script too.

const lookEveryMs = 250;

/**
 * Calls back once when the parent has gone. Only for processes that npm or npx started: others may outlive their shell on purpose.
 * @param {NodeJS.ProcessEnv} environment
 * @param {() => void} onGone
 * @returns {() => void} ends the watch
 */
export function watchParent(environment, onGone) {
  if (environment.npm_lifecycle_event === undefined) {
    return () => undefined;
  }
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) {
      clearInterval(timer);
      onGone();
    }
  }, lookEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}
