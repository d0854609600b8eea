// What may the coordinator do on a node? Exactly the commands that the protocol uses, no keys and no channels. The list is
// part of the product: it is what operators are told to configure, what the preflight compares against and what the tests run
// with, so it is written here and nowhere else. `config|get` and `config|rewrite` only: all of `config` could load a module
// or move the data directory, which is the whole machine.

/** The user that the documents and the local cloud name; any other dedicated one will do (R9). */
export const COORDINATOR_USER = "valkeeper";

/** Every command the coordinator sends, as ACL rules spell it. HELLO, AUTH and the like need no permission. */
export const COORDINATOR_COMMANDS: readonly string[] = [
  "ping",
  "info",
  "role",
  "replicaof",
  "failover",
  "multi",
  "exec",
  "client|setname",
  "client|list",
  "client|kill",
  "client|pause",
  "config|get",
  "config|rewrite",
  "acl|whoami",
];

/** The user's rules without name and password. */
export const COORDINATOR_RULES: readonly string[] = [
  "resetkeys",
  "resetchannels",
  "-@all",
  ...COORDINATOR_COMMANDS.map((command) => `+${command}`),
];

/** The line for an ACL file or for valkey.conf, as in `user valkeeper on >secret ...`. */
export function coordinatorAclLine(account: { readonly user: string; readonly password: string }): string {
  return `user ${account.user} on >${account.password} ${COORDINATOR_RULES.join(" ")}`;
}
