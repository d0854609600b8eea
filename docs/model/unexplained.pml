/* Histories that no record explains: what a person did by hand, and what an old intent seems to say about it (R22, R25).

   An earlier attempt meant node 1 at offset 0 and was rolled back, so its intent stands in the lineage; node 1 follows node 0 again, and
   the stream has moved since, as heartbeats move it. Now a person may make node 1 a primary by hand, and clients may write there; it may
   also restart afterwards, boot-fenced and with its data. Then node 0 fails, and one failover freezes what it reaches, compares, promotes
   and re-points. Replication keeps the order of writes, so an offset is a number of writes, and one for the heartbeat. */

#include "rules.pml"

#ifndef WRITES
#define WRITES 2
#endif
#define NODES 3
#define NOBODY 3
#define BIT(n) (1 << (n))

#define FIRST 1                       /* the history of node 0, committed at epoch 1 */
#define MEANT 2                       /* the history that the old intent would have made */
#define UNKNOWN 0
#define INTENT_OFFSET 0

bool S9_acknowledged_write_in_the_primary = true;
bool R22_what_a_person_made_is_spared = true;

byte offset[NODES];                   /* of the first history; where node 1 has left it, the offset of the fork */
bool forked = false;                  /* node 1 has a history of its own */
bool isPrimary = false;               /* node 1 claims to be one */
bool byHand = false;                  /* clients have written to what a person made */
byte frozen = 0;
byte acknowledged = 0;                /* the offset up to which writes were acknowledged after WAIT 1 */

#define EXPLAINED (offset[1] == INTENT_OFFSET || !R25_MATCH)
/* A fork is the intent's only if it lies exactly where the intent says; else nobody knows whose it is. */
#define HISTORY(n) ((n) == 1 && forked -> (EXPLAINED -> MEANT : UNKNOWN) : FIRST)
#define BETTER(n) (best == NOBODY || HISTORY(n) > HISTORY(best) || (HISTORY(n) == HISTORY(best) && offset[n] > offset[best]))

#define FREE(n) (!(frozen & BIT(n)))

proctype world() {
  do
  :: atomic { FREE(0) && offset[0] <= WRITES -> offset[0]++ }
  :: atomic { FREE(1) && !forked && offset[1] < offset[0] -> offset[1]++ }
  :: atomic { FREE(2) && offset[2] < offset[0] -> offset[2]++ }
  :: atomic { FREE(0) && !forked && acknowledged < offset[1] -> acknowledged = offset[1] }
  :: atomic { FREE(0) && acknowledged < offset[2] -> acknowledged = offset[2] }
  :: atomic { FREE(1) && !forked && offset[1] > INTENT_OFFSET -> forked = true; isPrimary = true }
  :: atomic { FREE(1) && isPrimary -> byHand = true }
  :: atomic { FREE(1) && isPrimary -> isPrimary = false }   /* restarts, boot-fenced, with a history of its own */
  od
}

inline take(n) {
  atomic {
    if
    :: n == 1 && isPrimary && HISTORY(1) == UNKNOWN && R22 -> hold = true
    :: else ->
      HOLDS(R22_what_a_person_made_is_spared, n != 1 || !isPrimary || !byHand || !R25_MATCH);
      counted++; frozen = frozen | BIT(n); isPrimary = isPrimary && n != 1;
      if
      :: HISTORY(n) == UNKNOWN -> hold = R25_HOLD             /* promotes nobody over data that no record explains */
      :: HISTORY(n) != UNKNOWN && BETTER(n) -> best = n
      :: else
      fi
    fi
  }
}

proctype failover() {
  byte counted = 0, best = NOBODY;
  bool hold = false;

  if
  :: take(0)
  :: skip
  fi;
  if
  :: take(1)
  :: skip
  fi;
  if
  :: take(2)
  :: skip
  fi;
  atomic {
    !hold && counted >= NODES - 1 ->
    HOLDS(S9_acknowledged_write_in_the_primary, offset[best] >= acknowledged)
  }
}

init {
  atomic {
    offset[0] = 1;                      /* the heartbeat since the roll back */
    run world();
    run failover()
  }
}
