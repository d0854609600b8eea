// Which directives may a sentinel.conf have, how is each written, and what becomes of it here? One row each; a reason
// stands where nothing becomes of it.

export interface SentinelDirective {
  /** Its values, those in brackets optional. */
  readonly form: string;
  /** Why it is left out; null: it is converted. */
  readonly dropped: string | null;
  /** Its value is never looked at. */
  readonly isSecret?: true;
}

const STATE = "state of the Sentinels: an epoch of Valkeeper's own begins with the adoption";
const NAMES = "hosts may be names here, and are published as they are declared";
const LOADING = { form: "NAME MILLISECONDS", dropped: null };
const REPLICA = { form: "NAME HOST PORT", dropped: null };

export const SENTINEL_DIRECTIVES: Readonly<Record<string, SentinelDirective>> = {
  "sentinel monitor": { form: "NAME HOST PORT QUORUM", dropped: null },
  "sentinel down-after-milliseconds": { form: "NAME MILLISECONDS", dropped: null },
  "sentinel failover-timeout": { form: "NAME MILLISECONDS", dropped: null },
  "sentinel parallel-syncs": { form: "NAME REPLICAS", dropped: null },
  "sentinel auth-user": { form: "NAME USER", dropped: null },
  "sentinel auth-pass": { form: "NAME PASSWORD", dropped: null, isSecret: true },
  "sentinel primary-reboot-down-after-period": LOADING,
  "sentinel master-reboot-down-after-period": LOADING,
  "sentinel known-replica": REPLICA,
  "sentinel known-slave": REPLICA,
  "sentinel known-sentinel": {
    form: "NAME HOST PORT [ID]",
    dropped: "the voters take the Sentinels' place, and meet in the table",
  },
  "sentinel notification-script": {
    form: "NAME PATH",
    dropped: "notifications take its place (docs/notifications.md)",
  },
  "sentinel client-reconfig-script": {
    form: "NAME PATH",
    dropped: "the published primary takes its place (docs/configuration.md, Publication)",
  },
  "sentinel rename-command": {
    form: "NAME COMMAND NEW-NAME",
    dropped: "the voters use Valkey's own names: give their user its rights instead, and rename nothing that it needs",
  },
  "sentinel config-epoch": { form: "NAME EPOCH", dropped: STATE },
  "sentinel leader-epoch": { form: "NAME EPOCH", dropped: STATE },
  "sentinel current-epoch": { form: "EPOCH", dropped: STATE },
  "sentinel myid": { form: "ID", dropped: "the identity of one Sentinel" },
  "sentinel announce-ip": { form: "ADDRESS", dropped: "nobody connects to a voter" },
  "sentinel announce-port": { form: "PORT", dropped: "nobody connects to a voter" },
  "sentinel sentinel-user": { form: "USER", dropped: "voters log in to nobody but the nodes" },
  "sentinel sentinel-pass": { form: "PASSWORD", dropped: "voters log in to nobody but the nodes", isSecret: true },
  "sentinel resolve-hostnames": { form: "YES-OR-NO", dropped: NAMES },
  "sentinel announce-hostnames": { form: "YES-OR-NO", dropped: NAMES },
  "sentinel deny-scripts-reconfig": { form: "YES-OR-NO", dropped: "there are no scripts" },
};

/** Those of a server that say how nodes are reached, beside what is a Sentinel's own. */
const OF_CONNECTIONS: Readonly<Record<string, string>> = {
  include: "not followed: import that file too, if it monitors groups",
  "tls-cert-file": "voters show no certificate of their own: the nodes need tls-auth-clients no or optional",
  "tls-key-file": "voters show no certificate of their own: the nodes need tls-auth-clients no or optional",
  "tls-client-cert-file": "voters show no certificate of their own: the nodes need tls-auth-clients no or optional",
  "tls-client-key-file": "voters show no certificate of their own: the nodes need tls-auth-clients no or optional",
  "tls-protocols": "voters negotiate with each node",
  "tls-ciphers": "voters negotiate with each node",
  "tls-ciphersuites": "voters negotiate with each node",
};

export const droppedOfServer = (directive: string): string =>
  OF_CONNECTIONS[directive] ?? "of the Sentinel's own process: voters are functions, and have none";

/** Every directive of valkey.conf: a Sentinel takes them all, because it is the same program. */
export const SERVER_DIRECTIVES: ReadonlySet<string> = new Set(
  `include loadmodule rename-command user
  acl-pubsub-default aclfile acllog-max-len active-defrag-cycle-max active-defrag-cycle-min
  active-defrag-ignore-bytes active-defrag-max-scan-fields active-defrag-threshold-lower
  active-defrag-threshold-upper active-expire-effort activedefrag activerehashing always-show-logo aof-load-truncated
  aof-rewrite-cpulist aof-rewrite-incremental-fsync aof-timestamp-enabled aof-use-rdb-preamble aof_rewrite_cpulist
  appenddirname appendfilename appendfsync appendonly auto-aof-rewrite-min-size auto-aof-rewrite-percentage
  availability-zone bgsave-cpulist bgsave_cpulist bind bind-source-addr bio-cpulist bio_cpulist busy-reply-threshold
  client-output-buffer-limit client-query-buffer-limit cluster-allow-pubsubshard-when-down
  cluster-allow-reads-when-down cluster-allow-replica-migration cluster-announce-bus-port
  cluster-announce-client-ipv4 cluster-announce-client-ipv6 cluster-announce-hostname cluster-announce-human-nodename
  cluster-announce-ip cluster-announce-port cluster-announce-tls-port cluster-blacklist-ttl cluster-config-file
  cluster-enabled cluster-link-sendbuf-limit cluster-migration-barrier cluster-node-timeout cluster-port
  cluster-preferred-endpoint-type cluster-replica-no-failover cluster-replica-validity-factor
  cluster-require-full-coverage cluster-slave-no-failover cluster-slave-validity-factor cluster-slot-stats-enabled
  crash-log-enabled crash-memcheck-enabled daemonize databases dbfilename dir disable-thp
  dual-channel-replication-enabled dynamic-hz enable-debug-command enable-module-command enable-protected-configs
  events-per-io-thread extended-redis-compatibility hash-max-listpack-entries hash-max-listpack-value
  hash-max-ziplist-entries hash-max-ziplist-value hide-user-data-from-log hll-sparse-max-bytes hz ignore-warnings
  io-threads io-threads-do-reads jemalloc-bg-thread latency-monitor-threshold latency-tracking
  latency-tracking-info-percentiles lazyfree-lazy-eviction lazyfree-lazy-expire lazyfree-lazy-server-del
  lazyfree-lazy-user-del lazyfree-lazy-user-flush lfu-decay-time lfu-log-factor list-compress-depth
  list-max-listpack-size list-max-ziplist-size locale-collate logfile loglevel lua-time-limit masterauth masteruser
  max-new-connections-per-cycle max-new-tls-connections-per-cycle maxclients maxmemory maxmemory-clients
  maxmemory-eviction-tenacity maxmemory-policy maxmemory-samples min-replicas-max-lag min-replicas-to-write
  min-slaves-max-lag min-slaves-to-write no-appendfsync-on-rewrite notify-keyspace-events oom-score-adj
  oom-score-adj-values pidfile port prefetch-batch-max-size primaryauth primaryuser proc-title-template
  propagation-error-behavior protected-mode proto-max-bulk-len rdb-del-sync-files rdb-save-incremental-fsync
  rdbchecksum rdbcompression repl-backlog-size repl-backlog-ttl repl-disable-tcp-nodelay repl-diskless-load
  repl-diskless-sync repl-diskless-sync-delay repl-diskless-sync-max-replicas repl-ping-replica-period
  repl-ping-slave-period repl-timeout replica-announce-ip replica-announce-port replica-announced
  replica-ignore-disk-write-errors replica-ignore-maxmemory replica-lazy-flush replica-priority replica-read-only
  replica-serve-stale-data replicaof requirepass sanitize-dump-payload save server-cpulist server_cpulist
  set-max-intset-entries set-max-listpack-entries set-max-listpack-value set-proc-title shutdown-on-sigint
  shutdown-on-sigterm shutdown-timeout slave-announce-ip slave-announce-port slave-ignore-maxmemory slave-lazy-flush
  slave-priority slave-read-only slave-serve-stale-data slaveof slowlog-log-slower-than slowlog-max-len
  socket-mark-id stop-writes-on-bgsave-error stream-node-max-bytes stream-node-max-entries supervised syslog-enabled
  syslog-facility syslog-ident tcp-backlog tcp-keepalive timeout tls-auth-clients tls-ca-cert-dir tls-ca-cert-file
  tls-cert-file tls-ciphers tls-ciphersuites tls-client-cert-file tls-client-key-file tls-client-key-file-pass
  tls-cluster tls-dh-params-file tls-key-file tls-key-file-pass tls-port tls-prefer-server-ciphers tls-protocols
  tls-replication tls-session-cache-size tls-session-cache-timeout tls-session-caching tracking-table-max-keys
  unixsocket unixsocketgroup unixsocketperm zset-max-listpack-entries zset-max-listpack-value
  zset-max-ziplist-entries zset-max-ziplist-value`
    .split(/\s+/)
    .filter((name) => name !== ""),
);
