/* The fence: what an older epoch's command can still do, and what an interrupted failover leaves behind (S1, S4, S11).

   The record, the holders of epochs 2 and up, the other voters that assist, and three nodes with their connections. Every exchange with a
   node takes effect at once and is answered, or it is left under way: then it takes effect at any later time, or never, and its sender
   knows nothing. A holder may stop for ever, or for a while, between any two steps, and the next one takes over at any moment.
   A history is named by the epoch that made it. No data, no restarts: data.pml is about those. */

#include "rules.pml"

#ifndef EPOCHS
#define EPOCHS 3
#endif

#define NODES 3
#define NOBODY 3
#define BIT(n) (1 << (n))

bool S1_one_primary_for_an_epoch = true;
bool S4_no_older_command_after_a_newer_one = true;
bool S5_committed_primary_left_alone = true;
bool S6_nobody_ahead_of_the_primary = true;

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

/* A newer history than the primary's would win the next comparison, whatever data it lacks. */
inline bePromoted(n, by) {
  touch(n, by);
  HOLDS(S6_nobody_ahead_of_the_primary, by > concluded || n == primary || by <= node[primary].history);
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

inline kill(n) {
  if
  :: R24 -> touch(n, e); node[n].open = node[n].open | BIT(e)
  :: else
  fi
}

inline leave(n, command) {
  node[n].open = node[n].open & (255 - BIT(e));
  node[n].underWay = node[n].underWay | command
}

/* What the node shows decides: who was promoted as the record says is settled, everybody else is frozen, or the freeze is left under way. */
inline visit(n) {
  atomic {
    !(frozen & BIT(n)) && settled == NOBODY && REACHES(n) ->
    if
    :: RECORD_IS_MINE && IS_MEANT(n) -> kill(n); settled = n
    :: RECORD_IS_MINE && !IS_MEANT(n) && n == primary && node[n].primary -> serves = true
    :: !(RECORD_IS_MINE && IS_MEANT(n)) ->
      beFrozen(n, e); node[n].open = node[n].open | BIT(e); frozen = frozen | BIT(n); serves = serves && n != primary
    :: !(RECORD_IS_MINE && IS_MEANT(n)) -> leave(n, FREEZE(e))
    fi
  }
}

/* The best of the frozen ones by history; not while the last one meant under this epoch may have been promoted. */
inline mean(n) {
  atomic {
    meant == NOBODY && settled == NOBODY && !back && (frozen & BIT(n)) && n != primary && !AHEAD(n) && !(sent & (255 - frozen)) &&
    (RECORD_IS_MINE || !R12) ->
    meant = n;
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
  :: leave(n, PROMOTE(e))
  fi;
  sent = sent | BIT(n)
}

inline repoint(n) {
  atomic {
    done && n != settled && !(frozen & BIT(n)) && REACHES(n) ->
    frozen = frozen | BIT(n);
    if
    :: beRepointed(n, e); node[n].history = node[settled].history; node[n].open = node[n].open | BIT(e)
    :: leave(n, REPOINT(e))
    fi
  }
}

proctype holder(byte e) {
  byte frozen = 0, sent = 0, meant = NOBODY, settled = NOBODY;
  bool serves = false, back = false, done = false;

  atomic {
    epoch == e - 1 ->
    epoch = e;
    step = (step == quiet -> begun : step);
    node[0].open = node[0].open | BIT(e); node[1].open = node[1].open | BIT(e); node[2].open = node[2].open | BIT(e)
  }

  do
  :: visit(0) :: visit(1) :: visit(2)
  :: mean(0) :: mean(1) :: mean(2)
  :: atomic { meant != NOBODY && settled == NOBODY -> promote(meant); frozen = frozen & (255 - BIT(meant)); meant = NOBODY }
  /* A connection that was closed meanwhile refuses: freeze and compare again. */
  :: atomic { meant != NOBODY && !(node[meant].open & BIT(e)) -> frozen = frozen & (255 - BIT(meant)); meant = NOBODY }
  /* Roll back: every open intent's node is frozen by this epoch and was never promoted, then the old primary is meant, then the kill. */
  :: atomic {
      RECORD_IS_MINE && meant == NOBODY && settled == NOBODY && !back && (serves || (frozen & BIT(primary))) && !AHEAD(primary) &&
      ((openNodes & (255 - frozen)) == 0 || !R21) ->
      back = true; step = restoring; latest = e; latestNode = primary
    }
  :: atomic {
      back && RECORD_IS_MINE && settled == NOBODY && serves && node[primary].primary && REACHES(primary) ->
      kill(primary); settled = primary
    }
  :: atomic { back && RECORD_IS_MINE && settled == NOBODY && (frozen & BIT(primary)) -> meant = primary }
  :: atomic {
      RECORD_IS_MINE && settled != NOBODY && !done ->
      HOLDS(S1_one_primary_for_an_epoch, !(commits & BIT(e)));
      commits = commits | BIT(e);
      primary = settled; concluded = e; step = quiet; latest = 0; latestNode = NOBODY; openNodes = 0; done = true; frozen = 0
    }
  :: repoint(0) :: repoint(1) :: repoint(2)
  od
}

/* Another voter silences the old primary by a look at the record; its connection is older than the look. */
inline assist(n) {
  atomic {
    (n == primary && step != quiet && (!R16 || (step == intended && latestNode != primary))) ||
    (n != primary && step == quiet && node[n].primary && node[n].history < node[primary].history) ->
    node[n].underWay = node[n].underWay | FREEZE(epoch)
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
