// What a machine of the example does at its first boot, as the text that it runs: the Valkey of its distribution, configured
// as docs/configuration.md says, started with the boot fence. In parts, so that a test can run the one that writes the files and
// start real servers with them. No password is in the text: the machine asks for them.

import { COORDINATOR_USER, coordinatorAclLine } from "../core/acl.ts";

/** Secrets Manager's names or ARNs, each a plain text; may be tokens. */
export interface ExampleSecrets {
  readonly coordinator: string;
  readonly replication: string;
  readonly application: string;
  /** The nodes' certificate, and behind it its key, both PEM. */
  readonly certificate: string;
}

export interface ExampleNodeProps {
  readonly address: string;
  readonly region: string;
  readonly secrets: ExampleSecrets;
  /** PEM text of the authority that signed the certificate. */
  readonly authority: string;
}

export const APPLICATION_USER = "app";
const REPLICATION_USER = "replication";

/** The whole user data. */
export const exampleUserData = (props: ExampleNodeProps): string =>
  ["#!/bin/bash", "set -euo pipefail", "umask 077", installPart(props), writeFilesPart(props), START_PART].join("\n\n");

const installPart = ({ region, secrets }: ExampleNodeProps): string =>
  [
    "dnf install --assumeyes valkey",
    `secret() { aws secretsmanager get-secret-value --region ${region} --secret-id "$1" --query SecretString --output text; }`,
    ...Object.entries(secrets).map(([name, id]) => `${name}=$(secret ${id})`),
  ].join("\n");

/** Needs the four variables that are called as the secrets are. */
export const writeFilesPart = (props: ExampleNodeProps): string =>
  [
    "mkdir -p /etc/valkey /var/lib/valkey",
    file("/etc/valkey/authority.pem", props.authority.trimEnd()),
    file("/etc/valkey/node.pem", "$certificate"),
    file("/etc/valkey/users.acl", users()),
    file("/etc/valkey/valkey.conf", configuration(props.address)),
    file("/etc/systemd/system/valkey.service", UNIT),
  ].join("\n");

// The server rewrites its configuration and writes a new file beside the old one: the folder has to be its own.
const START_PART = [
  "chown -R valkey:valkey /etc/valkey /var/lib/valkey",
  "systemctl daemon-reload",
  "systemctl enable --now valkey",
].join("\n");

/** Variables in `content` are replaced by the shell. */
const file = (path: string, content: string): string => `cat > ${path} <<END\n${content}\nEND`;

const users = (): string =>
  [
    "user default off resetpass resetkeys resetchannels -@all",
    coordinatorAclLine({ user: COORDINATOR_USER, password: "$coordinator" }),
    `user ${REPLICATION_USER} on >$replication resetkeys resetchannels -@all +psync +replconf +ping`,
    `user ${APPLICATION_USER} on >$application ~* &* +@all -@admin -@dangerous +info +role +wait`,
  ].join("\n");

const configuration = (address: string): string =>
  [
    `bind ${address}`,
    `replica-announce-ip ${address}`,
    "protected-mode no",
    "port 0",
    "tls-port 6379",
    "tls-ca-cert-file /etc/valkey/authority.pem",
    "tls-cert-file /etc/valkey/node.pem",
    "tls-key-file /etc/valkey/node.pem",
    "tls-auth-clients no",
    "tls-replication yes",
    "aclfile /etc/valkey/users.acl",
    `primaryuser ${REPLICATION_USER}`,
    'primaryauth "$replication"',
    "dir /var/lib/valkey",
    "appendonly yes",
    "maxmemory 256mb",
    "repl-ping-replica-period 1",
    "repl-diskless-sync-delay 0",
    "repl-backlog-size 16mb",
  ].join("\n");

/** The boot fence stands here and not in the file: there the first promotion's CONFIG REWRITE would erase it. */
const UNIT = [
  "[Unit]",
  "Description=Valkey, a primary by election only",
  "Wants=network-online.target",
  "After=network-online.target",
  "StartLimitIntervalSec=0",
  "",
  "[Service]",
  "User=valkey",
  "ExecStart=/usr/bin/valkey-server /etc/valkey/valkey.conf --replicaof 127.0.0.1 1",
  "Restart=always",
  "RestartSec=1",
  "LimitNOFILE=65536",
  "",
  "[Install]",
  "WantedBy=multi-user.target",
].join("\n");
