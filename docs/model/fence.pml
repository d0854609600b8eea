/* The fence: what an older epoch's command can still do, and what an interrupted failover leaves behind (S1, S4, S11).

   The record, the holders of epochs 2 and up, the other voters that assist, and three nodes with their connections. Every exchange with a
   node takes effect at once and is answered, or it is refused by its own reply, or it is left under way: then it takes effect at any later
   time, or never, and its sender knows nothing. A holder may stop for ever, or for a while, between any two steps, and the next one takes over at any moment.
   A history is named by the epoch that made it. No data, no restarts: data.pml is about those. */

#include "rules.pml"

#ifndef EPOCHS
#define EPOCHS 3
#endif

/* How many commands may be late in a whole run, those of assistants included; without it any number. */
#ifdef LATE
byte late = 0;
#define MAY_BE_LATE (late < LATE)
#define COUNT_LATE late++
#else
#define MAY_BE_LATE true
#define COUNT_LATE skip
#endif

#define NODES 3
#define NOBODY 3
#define BIT(n) (1 << (n))

bool S1_one_primary_for_an_epoch = true;
bool S1_one_history_for_an_epoch = true;
bool S4_no_older_command_after_a_newer_one = true;
bool S5_committed_primary_left_alone = true;
bool S6_nobody_ahead_of_the_primary = true;
bool L4_held_only_by_what_was_not_read = true;

/* Commands under way to a node, a bit for each epoch and kind. */
#define FREEZE(e) (1 << (3 * ((e) - 2)))
#define PROMOTE(e) (2 << (3 * ((e) - 2)))
#define REPOINT(e) (4 << (3 * ((e) - 2)))

typedef Node {
  bool primary;
  byte token;                         /* the epoch that the target spells while frozen */
  byte history;
  byte touched;                       /* the newest epoch whose command took effect here */
  byte open;                          /* the epochs that have a usable connection */
  short underWay
};
Node node[NODES];

mtype = { quiet, begun, intended, restoring };

/* The ballot. An intent is open while it may have been carried out since the old primary was last meant. */
byte epoch = 1;
byte primary = 0;
byte concluded = 1;                   /* the epoch that last named the primary */
mtype step = quiet;
byte latest = 0;                      /* the epoch of the latest open intent, 0 for none */
byte latestNode = NOBODY;
byte openNodes = 0;                   /* the nodes of open intents, the old primary left out */
bool isNamed = false;                 /* nodes 1 and 2 are alike: the one that is meant first is called 1 */
byte commits = 0;                     /* the epochs that committed a primary */

/* Every command is one transaction that closes all other coordinators' connections, with what lies unread in them. */
inline touch(n, by) {
  HOLDS(S4_no_older_command_after_a_newer_one, by >= node[n].touched);
  node[n].touched = by;
  if
  :: R9_KILL -> node[n].open = node[n].open & BIT(by); node[n].underWay = 0
  :: else
  fi
}

inline beFrozen(n, by) {
  touch(n, by);
  HOLDS(S5_committed_primary_left_alone, n != primary || by > concluded || !node[n].primary);
  node[n].primary = false; node[n].token = by
}

#define HELD_BY_ANOTHER(n, which) ((n != 0 && node[0].history == which) || (n != 1 && node[1].history == which) || \
  (n != 2 && node[2].history == which))
/* A newer history than the primary's would win the next comparison, whatever data it lacks. */
inline bePromoted(n, by) {
  touch(n, by);
  HOLDS(S6_nobody_ahead_of_the_primary, by > concluded || n == primary || by <= node[primary].history);
#ifdef REFUSALS
  HOLDS(S1_one_history_for_an_epoch, !HELD_BY_ANOTHER(n, by));
#endif
  node[n].primary = true; node[n].token = 0; node[n].history = by
}

inline beRepointed(n, by) {
  touch(n, by);
  HOLDS(S5_committed_primary_left_alone, n != primary || by > concluded);
  node[n].primary = false; node[n].token = 0
}

#define RECORD_IS_MINE (epoch == e)
/* Rule 2: only over a connection whose login was answered before a look that showed this epoch. */
#define REACHES(n) ((node[n].open & BIT(e)) || RECORD_IS_MINE || !R9_LOOK)
#define IS_MEANT(n) (node[n].primary && n == latestNode && node[n].history == latest)
#define AHEAD(n) ((frozen & BIT(0) && node[0].history > node[n].history) || (frozen & BIT(1) && node[1].history > node[n].history) || \
  (frozen & BIT(2) && node[2].history > node[n].history))

#define BEHIND(n) (node[0].history > node[n].history || node[1].history > node[n].history || node[2].history > node[n].history)

inline kill(n) {
  if
  :: R24 -> touch(n, e); node[n].open = node[n].open | BIT(e)
  :: else
  fi
}

inline leave(n, command) {
  node[n].open = node[n].open & (255 - BIT(e));
  node[n].underWay = node[n].underWay | command; COUNT_LATE
}

/* By an intent that is open: every epoch of the operation is beyond the one that concluded the last. */
#define WAS_PROMOTED(n) (node[n].history > concluded)

/* A node that refuses the freeze can be settled: the kill leaves no older command, and the reply tells whether one had taken effect. */
inline settle(n) {
  if
  :: (openNodes & BIT(n)) && RECORD_IS_MINE ->
    kill(n);
    settledAs = settledAs | (WAS_PROMOTED(n) && R21_COMPARED -> 0 : BIT(n))
  :: else
  fi
}

/* R21 (a): frozen, or settled, by this epoch; or no other epoch's intent names it and each NO ONE of this one was answered. */
#define READ (frozen | settledAs)
#define OTHERS (R21_OTHERS -> older : 0)
#define UNANSWERED (R21_UNANSWERED -> sent : 0)
#define MAY_BE_PROMOTED (openNodes & (255 - frozen) & \
  (255 - (R21_SETTLED -> settledAs : 0)) & (R21_REFUSED -> OTHERS | UNANSWERED : 255))

/* What the node shows decides: who was promoted as the record says is settled, everybody else is frozen, or the freeze is left under way. */
inline visit(n) {
  atomic {
    !(frozen & BIT(n)) && settled == NOBODY && REACHES(n) ->
    if
    :: RECORD_IS_MINE && IS_MEANT(n) -> kill(n); settled = n
    :: RECORD_IS_MINE && !IS_MEANT(n) && n == primary && node[n].primary -> serves = true
    :: !(RECORD_IS_MINE && IS_MEANT(n)) ->
      beFrozen(n, e); node[n].open = node[n].open | BIT(e); frozen = frozen | BIT(n); serves = serves && n != primary;
      sent = (node[n].history == e -> sent : sent & (255 - BIT(n)))
    :: !(RECORD_IS_MINE && IS_MEANT(n)) && MAY_BE_LATE -> leave(n, FREEZE(e))
#ifdef REFUSALS
    :: !(RECORD_IS_MINE && IS_MEANT(n)) && n != primary && !(settledAs & BIT(n)) -> settle(n)
#endif
    fi
  }
}

/* The best of the frozen ones by history; not while the last one meant under this epoch may have been promoted. */
inline mean(n) {
  atomic {
    meant == NOBODY && settled == NOBODY && !back && (frozen & BIT(n)) && n != primary && !AHEAD(n) && (!(sent & (255 - frozen)) || !ONE_HISTORY) &&
    (RECORD_IS_MINE || !R12) && (n != 2 || isNamed) ->
    meant = n; isNamed = true;
    if
    :: R12 -> step = intended; latest = e; latestNode = n; openNodes = openNodes | BIT(n)
    :: else
    fi
  }
}

inline promote(n) {
  (node[n].open & BIT(e)) && node[n].token == e ->
  if
  :: bePromoted(n, e); settled = n
  :: MAY_BE_LATE -> leave(n, PROMOTE(e)); sent = sent | BIT(n)
  fi
}

/* What the freeze had shown may not hold any more. */
inline forget(n) {
  frozen = frozen & (255 - BIT(n)); settledAs = settledAs & (255 - BIT(n)); meant = NOBODY
}

inline repoint(n) {
  atomic {
    done && n != settled && !(frozen & BIT(n)) && REACHES(n) ->
    frozen = frozen | BIT(n);
    if
    :: beRepointed(n, e); node[n].history = node[settled].history; node[n].open = node[n].open | BIT(e)
    :: MAY_BE_LATE -> leave(n, REPOINT(e))
    fi
  }
}

proctype holder(byte e) {
  byte frozen = 0, settledAs = 0, older = 0, sent = 0, meant = NOBODY, settled = NOBODY;
  bool serves = false, back = false, done = false;

  atomic {
    epoch == e - 1 ->
    epoch = e;
    older = openNodes;
    step = (step == quiet -> begun : step);
    node[0].open = node[0].open | BIT(e); node[1].open = node[1].open | BIT(e); node[2].open = node[2].open | BIT(e)
  }

  do
  :: visit(0) :: visit(1) :: visit(2)
  :: mean(0) :: mean(1) :: mean(2)
  :: atomic { meant != NOBODY && settled == NOBODY -> promote(meant); forget(meant) }
  /* Refused, by the node or because its connection was closed meanwhile: freeze and compare again. */
#ifdef REFUSALS
  :: atomic { meant != NOBODY && settled == NOBODY -> forget(meant) }
#else
  :: atomic { meant != NOBODY && !(node[meant].open & BIT(e)) -> forget(meant) }
#endif
  /* Roll back: no open intent's node can have been promoted, then the old primary is meant, then the kill. */
  :: atomic {
      RECORD_IS_MINE && meant == NOBODY && settled == NOBODY && !back && (serves || (frozen & BIT(primary))) && !AHEAD(primary) &&
      (MAY_BE_PROMOTED == 0 || !R21) ->
      back = true; step = restoring; latest = e; latestNode = primary; openNodes = 0
    }
  /* Held: while a node of an open intent was not read, or this epoch's NO ONE to it had no answer, and for nothing else. */
  :: atomic {
      RECORD_IS_MINE && meant == NOBODY && settled == NOBODY && !back && MAY_BE_PROMOTED != 0 ->
      HOLDS(L4_held_only_by_what_was_not_read, (MAY_BE_PROMOTED & (older | sent) & (255 - READ)) != 0)
    }
  :: atomic {
      back && RECORD_IS_MINE && settled == NOBODY && serves && node[primary].primary && REACHES(primary) ->
      kill(primary); settled = primary
    }
  :: atomic { back && RECORD_IS_MINE && settled == NOBODY && (frozen & BIT(primary)) -> meant = primary }
  :: atomic {
      RECORD_IS_MINE && settled != NOBODY && !done ->
      HOLDS(S1_one_primary_for_an_epoch, !(commits & BIT(e)));
      HOLDS(S6_nobody_ahead_of_the_primary, !BEHIND(settled));
      commits = commits | BIT(e);
      primary = settled; concluded = e; step = quiet; latest = 0; latestNode = NOBODY; openNodes = 0; done = true; frozen = 0; settledAs = 0; older = 0; sent = 0
    }
  :: repoint(0) :: repoint(1) :: repoint(2)
  od
}

/* Another voter silences the old primary by a look at the record; its connection is older than the look. */
inline assist(n) {
  atomic {
    ((n == primary && step != quiet && (!R16 || (step == intended && latestNode != primary))) ||
    (n != primary && step == quiet && node[n].primary && node[n].history < node[primary].history)) && MAY_BE_LATE ->
    node[n].underWay = node[n].underWay | FREEZE(epoch); COUNT_LATE
  }
}

#define ON_ITS_WAY(n, command) node[n].underWay & command -> node[n].underWay = node[n].underWay & (BIT(9) - 1 - command)
inline arrive(n, by) {
  if
  :: atomic { ON_ITS_WAY(n, FREEZE(by)); beFrozen(n, by); node[n].open = 0 }
  :: atomic { ON_ITS_WAY(n, PROMOTE(by)); bePromoted(n, by); node[n].open = 0 }
  :: atomic { ON_ITS_WAY(n, REPOINT(by)); beRepointed(n, by); node[n].open = 0 }
  fi
}

proctype network() {
  do
  :: arrive(0, 2) :: arrive(1, 2) :: arrive(2, 2)
#if EPOCHS > 2
  :: arrive(0, 3) :: arrive(1, 3) :: arrive(2, 3)
#endif
#if EPOCHS > 3
  :: arrive(0, 4) :: arrive(1, 4) :: arrive(2, 4)
#endif
  od
}

proctype assistants() {
  do
  :: assist(0) :: assist(1) :: assist(2)
  od
}

init {
  atomic {
    node[0].primary = true; node[0].history = 1; node[1].history = 1; node[2].history = 1;
    run network();
    run assistants();
    run holder(2);
#if EPOCHS > 2
    run holder(3);
#endif
#if EPOCHS > 3
    run holder(4)
#endif
  }
}
