/* Publication: which of two writers is believed, and where a group begins that lost its record (S2, L1).

   A committed primary is its epoch here. Publishers read the ballot, stall for as long as they like, and write; any of them may die before a
   write. The table's item is a conditional put, the address record is a batch that removes exactly what was read, the parameter has no
   condition at all. Once nobody else writes, the publisher's repair has its turn. The table is new: the ballot and the publication of
   an earlier deployment were lost with the old one, while the record, the parameter and the nodes' tokens stand. */

#include "rules.pml"

#ifndef COMMITS
#define COMMITS 2                     /* beside adopting */
#endif
#ifndef PUBLISHERS
#define PUBLISHERS 2
#endif

#define EARLIER 4                     /* the epoch that stands from the earlier deployment */

bool S2_epochs_only_grow = true;
bool L1_every_publication_equals_the_record = true;

byte committed = 0;                   /* the ballot's primary.epoch; 0: not adopted */
byte table = 0;
byte record = EARLIER;
byte parameter = EARLIER;
byte token = EARLIER;                 /* the highest that any node carries */
byte turns = 0;
byte writing = 0;

#define LARGEST(a, b) ((a) > (b) -> (a) : (b))

/* Adopts, and fails over some times. */
proctype group() {
  atomic {
    committed = (R19 -> LARGEST(LARGEST(record, parameter), LARGEST(table, token)) + 1 : 1);
    HOLDS(S2_epochs_only_grow, committed > token);
    token = committed
  }
  do
  :: atomic { turns < COMMITS -> turns++; committed++; HOLDS(S2_epochs_only_grow, committed > token); token = committed }
  :: turns == COMMITS -> break
  od
}

inline putTable(plan) {
  atomic {
    if
    :: plan > table || !R8_ORDER -> HOLDS(S2_epochs_only_grow, plan >= table); table = plan
    :: else
    fi
  }
}

inline changeRecord(plan, read) {
  atomic { read = record };
  atomic {
    if
    :: (read == record && plan > read) || !R8_ORDER -> HOLDS(S2_epochs_only_grow, plan >= record); record = plan
    :: else
    fi;
    read = 0
  }
}

inline putParameter(plan, read) {
  atomic { read = parameter };
  atomic {
    if
    :: plan > read -> parameter = plan
    :: else
    fi;
    read = 0
  }
}

proctype publisher() {
  byte plan = 0, read = 0, rounds = 0;
  do
  :: atomic { committed != 0 && rounds < 2 -> rounds++; plan = committed };
     if
     :: putTable(plan)
     :: skip
     fi;
     if
     :: changeRecord(plan, read)
     :: skip
     fi;
     if
     :: putParameter(plan, read)
     :: skip
     fi;
     plan = 0
  :: break
  od;
  writing--
}

/* Comes once a minute; here it comes when all others have written, and its turn is the last. */
proctype repair() {
  byte plan = 0, read = 0;
  writing == 0 && turns == COMMITS;
  plan = committed;
  if
  :: R8_REPAIR ->
    putTable(plan);
    changeRecord(plan, read);
    atomic { if :: parameter != plan -> parameter = plan :: else fi }
  :: else
  fi;
  HOLDS(L1_every_publication_equals_the_record, table == committed && record == committed && parameter == committed)
}

init {
  atomic {
    writing = PUBLISHERS;
    run group();
    run publisher();
#if PUBLISHERS > 1
    run publisher();
#endif
#if PUBLISHERS > 2
    run publisher();
#endif
    run repair()
  }
}
