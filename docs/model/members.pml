/* Members: what N counts, and what "N - k nodes" counts (R2 and R18, with k = 1).

   Three declared names of three processes, and a fourth process that nobody declared. The address of name 2 may move to process 1, whose own
   name is 1; the fourth process may begin to follow the primary, and then counts as discovered before a write that it has is acknowledged.
   A failover of process 0 freezes what it reaches by name, in one step. */

#include "rules.pml"

#define PROCESSES 4
#define BIT(n) (1 << (n))
#define WITHIN(part, whole) (((part) & (255 - (whole))) == 0)
#ifndef WRITES
#define WRITES 2
#endif

bool S9_acknowledged_write_in_the_primary = true;

byte data[PROCESSES];
byte processOf[PROCESSES];            /* by name; name 3 is the discovered one */
bool follows[PROCESSES];
byte members = 3;
bool joined = false;
byte written = 0;
byte acknowledged = 0;

proctype failover() {
  byte name = 0, frozen = 0, counted = 0, best = 0, process = 0;

  atomic {
    do
    :: name < 3 || (name == 3 && joined && R18_GROWS) ->
      process = processOf[name];
      if
      :: !(frozen & BIT(process)) -> frozen = frozen | BIT(process); counted++; follows[process] = false
      :: (frozen & BIT(process)) && !R18_DISTINCT -> counted++
      :: true                         /* is not reached */
      fi;
      name++
    :: else -> break
    od;
    counted >= members - 1;
    /* The best of the frozen ones; a set of writes is also an offset here, because replication keeps their order. */
    name = 0; best = PROCESSES;
    do
    :: name < PROCESSES ->
      if
      :: (frozen & BIT(name)) && (best == PROCESSES || data[name] > data[best]) -> best = name
      :: else
      fi;
      name++
    :: else -> break
    od;
    HOLDS(S9_acknowledged_write_in_the_primary, WITHIN(acknowledged, data[best]))
  }
}

inline replicate(process) {
  atomic { follows[process] && data[process] != data[0] -> data[process] = data[0] }
}

#define HAS(process) (process == 3 && !joined -> 0 : data[process])

proctype world() {
  do
  :: atomic { follows[0] && written < WRITES -> data[0] = data[0] | BIT(written); written++ }
  :: replicate(1) :: replicate(2) :: replicate(3)
  :: atomic { follows[0] && !WITHIN(HAS(1) | HAS(2) | HAS(3), acknowledged) -> acknowledged = acknowledged | HAS(1) | HAS(2) | HAS(3) }
  :: atomic { processOf[2] == 2 -> processOf[2] = 1 }
  :: atomic { !follows[3] && !joined -> follows[3] = true; joined = true; members = (R18_GROWS -> 4 : 3) }
  od
}

init {
  atomic {
    processOf[1] = 1; processOf[2] = 2; processOf[3] = 3;
    follows[0] = true; follows[1] = true; follows[2] = true;
    run world();
    run failover()
  }
}
