/* Which vote of one voter stands, and until when it counts for a reader (S7, section 6).

   One voter with two invocations that start together: each takes the next generation of the slot by a conditional write, and casts votes, of
   which one at a time may lie under way. One reader, another voter, that looks, and between sending a look, its being served and its
   answer any time may pass. Time is counted in vote windows, on the reader's clock. A read that is not consistent shows what stood before; it is no
   look, and so it is only there when that rule is removed. */

#include "rules.pml"

#ifndef VOTES
#define VOTES 2                       /* that one invocation casts; at most 3 */
#endif
#ifndef LOOKS
#define LOOKS 3
#endif
#ifndef TICKS
#define TICKS 4
#endif

#define WINDOW 1
#define NEVER 0                       /* the clock begins at 1 */
#define ORDER(generation, seq) (4 * (generation) + (seq))

bool S7_one_voter_is_one_vote = true;
bool S7_a_vote_counts_while_it_is_fresh = true;

byte now = 1;

/* The slot: the generation that was last taken. Who took it first and who last is known to the model alone. */
byte generation = 0;
byte began = 0;

/* The vote in the ballot, whose it is, and since when it stands; and the one before, which a read that is not consistent may still show. */
byte order = 0;
byte author = 0;
byte stoodSince = 0;
byte orderBefore = 0;
byte stoodBefore = 0;

inline arrive(which, whose) {
  if
  :: which > order || (!R15 && which != order) ->
    HOLDS(S7_one_voter_is_one_vote, whose > author || (whose == author && which > order));
    orderBefore = (FRESH_CONSISTENT -> 0 : order); stoodBefore = (FRESH_CONSISTENT -> 0 : stoodSince);
    order = which; author = whose; stoodSince = now
  :: else
  fi
}

proctype invocation() {
  byte read = 0, mine = 0, turn = 0, seq = 0, late = 0;

again:
  atomic { read = generation };
  atomic {
    if
    :: generation == read || !GENERATION -> generation = read + 1; mine = read + 1; began++; turn = began
    :: else -> goto again
    fi;
    read = 0
  }
  do
  :: atomic {
      seq < VOTES ->
      seq++;
      if
      :: arrive(ORDER(mine, seq), turn)
      :: late == 0 -> late = ORDER(mine, seq)
      fi
    }
  :: atomic { late != 0 -> arrive(late, turn); late = 0 }
  od
}

proctype reader() {
  byte looks = 0, sentAt = NEVER, sentBefore = NEVER;
  byte shown = 0, shownSince = 0, known = 0, knownSince = 0, absentAt = NEVER;
  bool served = false;

  do
  :: atomic { looks < LOOKS && sentAt == NEVER -> looks++; sentAt = now }
  :: atomic { sentAt != NEVER && !served -> shown = order; shownSince = stoodSince; served = true }
  :: atomic { !FRESH_CONSISTENT && sentAt != NEVER && !served -> shown = orderBefore; shownSince = stoodBefore; served = true }
  :: atomic {
      served ->
      if
      :: shown != known ->
        known = shown; knownSince = shownSince;
        /* The look before is the last that did not show it. One that was there at the first look is not news. */
        absentAt = (sentBefore == NEVER && !FRESH_NEWS -> sentAt : sentBefore)
      :: else
      fi;
      sentBefore = (FRESH_SENT -> sentAt : now);
      sentAt = NEVER; served = false; shown = 0; shownSince = 0
    }
  :: atomic {
      known != 0 && absentAt != NEVER && (now - absentAt <= WINDOW || !FRESH_WINDOW) ->
      HOLDS(S7_a_vote_counts_while_it_is_fresh, now - knownSince <= WINDOW)
    }
  od
}

proctype clock() {
  do
  :: atomic { now < TICKS -> now++ }
  od
}

init {
  atomic { run invocation(); run invocation(); run reader(); run clock() }
}
