/* Data: whose data wins a failover, and what restarts do to it (S9, with three nodes, waitK 1 and onPossibleLoss refuse).

   Holders of epochs 2 and up, each of which may stop for ever, or for a while, between any two steps; the next one is granted at any
   moment. S4 is taken for granted here (fence.pml is about it): a holder's command takes effect on a node unless a newer epoch's has, and
   reaches a restarted node only if no newer epoch was granted before the restart. A history is named by the epoch that made it.
   Clients write to whatever accepts writes, and a write is acknowledged, perhaps late, once another node has had it. */

#include "rules.pml"

#ifndef EPOCHS
#define EPOCHS 3                      /* the highest epoch: 1 is the adopted primary's, so EPOCHS - 1 operations */
#endif
#ifndef WRITES
#define WRITES 1
#endif
#ifndef RESTARTS
#define RESTARTS 0                    /* each loses the node's data; a write that WAIT 1 acknowledged survives one */
#endif

#define NODES 3
#define NOBODY 3                      /* as a target: a dead address */
#define BIT(n) (1 << (n))
#define WITHIN(part, whole) (((part) & (255 - (whole))) == 0)

bool S9_acknowledged_write_in_the_primary = true;
bool S9_acknowledged_write_somewhere = true;

typedef Node {
  bool primary;
  byte follows;
  byte token;                         /* the epoch that the target spells, 0 if it spells none */
  byte touched;                       /* the newest epoch whose command took effect here */
  byte history;
  byte offset;
  byte data;                          /* the set of writes */
  byte confirmed;                     /* the writes that a follower has confirmed to this primary */
  bool restarted                      /* since it was last in sync */
};

Node node[NODES];
byte epoch = 1;
byte primary = 0;                     /* the committed one */
byte openNodes = 0;                   /* of intents since the last commit, the committed primary left out */
byte written = 0;
byte acknowledged = 0;
byte restarts = 0;

#define MINE(n) (node[n].touched <= e && (!R7 || node[n].history <= e))
#define COUNTS(n) (!node[n].restarted || !R4)
/* By history, then by offset; among equals the primary that is to be replaced comes last. */
#ifdef BARE
#define MORE(n) (node[n].offset > bestOffset)
#else
#define MORE(n) (node[n].offset > bestOffset || (node[n].offset == bestOffset && best == primary))
#endif
#define BETTER(n) (best == NOBODY || (R3 && node[n].history > bestHistory) || ((!R3 || node[n].history == bestHistory) && MORE(n)))

/* One transaction. What its reply showed is kept, because a node moves on when a newer epoch takes it. */
inline freeze(n) {
  d_step {
    asked = asked | BIT(n);
    if
    :: MINE(n) ->
      if
      :: R1 ->
        node[n].touched = e; node[n].primary = false; node[n].follows = NOBODY; node[n].token = e; node[n].confirmed = 0
      :: else
      fi;
      frozen = frozen | BIT(n);
      if
      :: COUNTS(n) ->
        counted++;
        if
        :: BETTER(n) -> best = n; bestHistory = node[n].history; bestOffset = node[n].offset; asRestarted = node[n].restarted
        :: else
        fi
      :: else
      fi;
      if
      :: n == primary && (!node[n].restarted || !R13) -> isBack = true
      :: else
      fi
    :: else
    fi
  }
}

inline repoint(n) {
  d_step {
    asked = asked | BIT(n);
    if
    :: n != best && MINE(n) ->
      node[n].touched = e; node[n].primary = false; node[n].follows = best; node[n].token = 0; node[n].confirmed = 0
    :: else
    fi
  }
}

/* Nodes are asked in any order, each once or not at all; IN_ORDER leaves only one order, for a search that goes further. */
#ifdef IN_ORDER
#define NEXT(n) (asked < BIT(n))
#else
#define NEXT(n) (!(asked & BIT(n)))
#endif

/* BARE leaves out the record of what is meant, and the giving back: whoever has the most wins, the old primary too. */
proctype holder(byte e) {
  byte asked = 0, frozen = 0, counted = 0, best = NOBODY, bestHistory = 0, bestOffset = 0;
  bool isBack = false, asRestarted = false, promoted = false;

  d_step { epoch == e - 1 -> epoch = e };

  do
  :: NEXT(0) -> freeze(0)
  :: NEXT(1) -> freeze(1)
  :: NEXT(2) -> freeze(2)
  :: asked != 0 -> break
  od;

  /* Not enough, or nobody has as much as the old primary: it is given its place back, if it is the same process, and if nobody else can
     have been promoted meanwhile (R21). What is meant is recorded before it is done (R12). */
#ifdef BARE
  atomic {
    best = (counted >= NODES - 1 || !R2 -> best : NOBODY);
    asked = 0; frozen = 0; counted = 0; bestHistory = 0; bestOffset = 0; isBack = false
  };
#else
  atomic {
    if
    :: best != NOBODY && best != primary && (counted >= NODES - 1 || !R2) -> skip
    :: else ->
      best = (isBack && ((openNodes & (255 - frozen)) == 0 || !R21) -> primary : NOBODY);
      asRestarted = !R13 && best != NOBODY && node[best].restarted
    fi;
    if
    :: epoch == e && best != NOBODY -> openNodes = (openNodes | BIT(best)) & (255 - BIT(primary))
    :: else -> best = NOBODY
    fi;
    asked = 0; frozen = 0; counted = 0; bestHistory = 0; bestOffset = 0; isBack = false
  };
#endif

  d_step {
    if
    :: best != NOBODY && node[best].touched <= e &&
       (!R6 || !R1 || node[best].token == e) && (!R6 || node[best].restarted == asRestarted) ->
      node[best].primary = true; node[best].follows = NOBODY; node[best].token = 0; node[best].touched = e;
      node[best].history = e; node[best].confirmed = 0; promoted = true;
      HOLDS(S9_acknowledged_write_in_the_primary, epoch != e || WITHIN(acknowledged, node[best].data))
    :: else
    fi;
    asRestarted = false
  };

  d_step {
    if
    :: promoted && epoch == e ->
      HOLDS(S9_acknowledged_write_in_the_primary, WITHIN(acknowledged, node[best].data) || node[best].restarted);
      primary = best; openNodes = 0
    :: else -> asked = BIT(NODES) - 1
    fi;
    promoted = false
  };

  do
  :: NEXT(0) -> repoint(0)
  :: NEXT(1) -> repoint(1)
  :: NEXT(2) -> repoint(2)
  :: break                            /* what was not reached is left to repair */
  od;
  atomic { asked = 0; best = NOBODY }
}

#define ACCEPTS(n) (node[n].primary && written < WRITES)
#define write(n) d_step { ACCEPTS(n) -> node[n].data = node[n].data | BIT(written); node[n].offset++; written++ }

#define LAGS(n, m) (node[n].follows == m && node[m].primary && \
  (node[n].data != node[m].data || node[n].history != node[m].history || node[n].restarted || !WITHIN(node[n].data, node[m].confirmed)))
/* In sync is who has all of the committed primary, which is the process that was committed. */
inline replicate(n, m) {
  d_step {
    LAGS(n, m) ->
    node[n].data = node[m].data; node[n].offset = node[m].offset; node[n].history = node[m].history;
    node[m].confirmed = node[m].confirmed | node[m].data;
    if
    :: m == primary && !node[m].restarted -> node[n].restarted = false
    :: else
    fi;
    HOLDS(S9_acknowledged_write_somewhere, WITHIN(acknowledged, node[0].data | node[1].data | node[2].data))
  }
}

/* A stale primary may answer late; what it acknowledges then has to be in the committed one as well. One that is promoted and not yet
   committed is ahead of that. */
inline acknowledge(n) {
  d_step {
    node[n].primary && !WITHIN(node[n].confirmed, acknowledged) ->
    acknowledged = acknowledged | node[n].confirmed;
    HOLDS(S9_acknowledged_write_in_the_primary, 
      WITHIN(acknowledged, node[primary].data) || node[primary].restarted || node[n].history > node[primary].history)
  }
}

inline restart(n) {
  d_step {
    restarts < RESTARTS ->
    restarts++;
    node[n].data = 0; node[n].offset = 0; node[n].history = 0; node[n].confirmed = 0; node[n].restarted = true;
    node[n].touched = epoch; node[n].token = 0;
    if
    :: R5 -> node[n].primary = false; node[n].follows = NOBODY
    :: else                           /* as its file says: a primary that nobody rewrote comes back as one */
    fi
  }
}

proctype world() {
  do
  :: write(0) :: write(1) :: write(2)
  :: replicate(0, 1) :: replicate(0, 2) :: replicate(1, 0) :: replicate(1, 2) :: replicate(2, 0) :: replicate(2, 1)
  :: acknowledge(0) :: acknowledge(1) :: acknowledge(2)
#if RESTARTS > 0
  :: restart(0) :: restart(1) :: restart(2)
#endif
  od
}

init {
  atomic {
    node[0].primary = true; node[0].follows = NOBODY; node[1].follows = 0; node[2].follows = 0;
    node[0].history = 1; node[1].history = 1; node[2].history = 1;
    run world();
    run holder(2);
#if EPOCHS > 2
    run holder(3);
#endif
#if EPOCHS > 3
    run holder(4)
#endif
  }
}
