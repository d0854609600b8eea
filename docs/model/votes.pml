/* Votes and the grant: who may begin a failover, and what a delayed write of a vote or of a holder can spoil (S1, S2, S3, S7).

   Three zones, a quorum of two. Zone 0 has two invocations, of which the second is the successor; zone 1 has one; zone 2 stands for a voter
   that has voted down before and died. What a voter hears is chosen freely: a voter may be cut off, or wrong. Every write of a vote takes
   effect at once or later, and the voter does not wait for the answer. Zones 0 and 1 try the grant by a look and a conditional write; the
   lease lapses at any moment, is taken over, and the write with which a holder commits may arrive at any time. */

#include "rules.pml"

#define ZONES 3
#define QUORUM 2
#define BIT(n) (1 << (n))
#define SUCCESSOR 4                   /* orders 1 to 3 belong to the first invocation, 5 to 7 to its successor */
#ifndef VOTES
#define VOTES 2                       /* that one invocation casts; at most 3. With none a quorum's votes stand */
#endif
#define EPOCHS 3

bool S1_one_primary_for_an_epoch = true;
bool S2_no_write_of_a_past_holder = true;
bool S1_nobody_is_meant_behind_a_commit = true;
bool S3_a_quorum_says_down = true;
bool L2_down_stands_until_the_primary_is_heard = true;

#define CLEAR 0
#define SUSPECT 1
#define DOWN 2

/* The ballot. An order is (generation, seq) as one number. */
byte level[ZONES];
byte order[ZONES];
byte epoch = 1;
byte version = 0;                     /* of the lease; 0 when there is none */
byte holders = 0;                     /* the epochs that were ever granted */
byte commits = 0;                     /* the epochs that committed */

byte newest[ZONES];                   /* the level of the vote with the largest order that ever took effect */
byte newestOrder[ZONES];

inline arrive(zone, what, which, heard) {
  if
  :: (which > order[zone] || !R15) && (what != SUSPECT || level[zone] != DOWN || !R23_WEAKEN) ->
    HOLDS(L2_down_stands_until_the_primary_is_heard, which < newestOrder[zone] || level[zone] != DOWN || what == DOWN || heard);
    level[zone] = what; order[zone] = which;
    if
    :: which > newestOrder[zone] -> newest[zone] = what; newestOrder[zone] = which
    :: else
    fi
  :: else
  fi
}

/* One invocation of a voter. What it concludes without hearing the primary only grows; one that hears it retracts. A write that is not
   answered lies under way, one at a time, and the next one may overtake it. */
proctype voter(byte zone; byte first) {
  byte seq = first, lateLevel = 0, lateOrder = 0, says = CLEAR;
  bool heard = false, lateHeard = false;

  do
  :: atomic {
      seq < first + VOTES ->
      seq++;
      if
      :: says = CLEAR; heard = true
      :: says == CLEAR && !R23_RETRACT -> skip           /* takes back what it has not heard to be over */
      :: says < DOWN -> says = SUSPECT
      :: says = DOWN
      fi;
      if
      :: arrive(zone, says, seq, heard)
      :: lateOrder == 0 -> lateLevel = says; lateOrder = seq; lateHeard = heard
      fi
    }
  :: atomic { lateOrder != 0 -> arrive(zone, lateLevel, lateOrder, lateHeard); lateLevel = 0; lateOrder = 0; lateHeard = false }
  od
}

#define ELECTS(zone) (level[zone] == DOWN || (!R10 && level[zone] == SUSPECT))
#define COUNT(mask) (((mask) & 1) + (((mask) >> 1) & 1) + (((mask) >> 2) & 1))
#define STANDS(zone) (!(counted & BIT(zone)) || ELECTS(zone))
#define IS_DOWN(zone) (newest[zone] == DOWN -> 1 : 0)

/* A contender looks, and writes later on the condition of what it saw; a holder commits later, on the condition of its lease. */
proctype contender(byte zone) {
  byte counted = 0, sawEpoch = 0, sawVersion = 0, mine = 0, myVersion = 0;
#ifdef LATE_WRITES
  byte lateEpoch = 0, lateVersion = 0;
#endif

  do
  :: atomic {
      sawEpoch == 0 && mine == 0 ->
      counted = (ELECTS(0) -> 1 : 0) | (ELECTS(1) -> 2 : 0) | (ELECTS(2) -> 4 : 0);
      sawEpoch = epoch; sawVersion = version
    }
  :: atomic {
      sawEpoch != 0 ->
      if
      :: epoch < EPOCHS && (epoch == sawEpoch || !GRANT_EPOCH) && version == 0 && sawVersion == 0 &&
         COUNT(counted) >= QUORUM && (counted & BIT(zone)) && ((STANDS(0) && STANDS(1) && STANDS(2)) || !GRANT_VOTES) ->
        HOLDS(S3_a_quorum_says_down, IS_DOWN(0) + IS_DOWN(1) + IS_DOWN(2) >= QUORUM);
        mine = sawEpoch + 1; myVersion = 1; epoch = mine; version = myVersion;
        HOLDS(S1_one_primary_for_an_epoch, !(holders & BIT(mine)));
        holders = holders | BIT(mine)
      /* The lease has lapsed: exactly the version that was watched is taken over. */
      :: epoch < EPOCHS && (epoch == sawEpoch || !GRANT_EPOCH) && sawVersion != 0 && version == sawVersion ->
        mine = sawEpoch + 1; myVersion = sawVersion + 1; epoch = mine; version = myVersion;
        HOLDS(S1_one_primary_for_an_epoch, !(holders & BIT(mine)));
        holders = holders | BIT(mine)
      :: else
      fi;
      counted = 0; sawEpoch = 0; sawVersion = 0
    }
  :: atomic {
      mine != 0 ->
      if
      :: (mine == epoch && myVersion == version) || !HOLDER_VERSION ->
        HOLDS(S2_no_write_of_a_past_holder, mine == epoch);
        commits = commits | BIT(mine); version = 0
      :: else
      fi;
      mine = 0; myVersion = 0
    }
#ifdef LATE_WRITES
  /* An intent that is given up and written anew lies under way, a few times; each write of the holder makes the next version of its lease. */
  :: atomic {
      mine != 0 && mine == epoch && myVersion == version && lateEpoch == 0 && version < 3 && !(commits & BIT(mine)) ->
      lateEpoch = mine; lateVersion = myVersion; version++; myVersion = version
    }
  /* The commit; what is left is telling, still under the lease, and the end is as above. */
  :: atomic {
      mine != 0 && mine == epoch && myVersion == version && !(commits & BIT(mine)) ->
      commits = commits | BIT(mine); version++; myVersion = version
    }
  :: atomic {
      lateEpoch != 0 ->
      if
      :: lateEpoch == epoch && version != 0 && version < 6 && (lateVersion == version || !SAME_LEASE) ->
        HOLDS(S1_nobody_is_meant_behind_a_commit, !(commits & BIT(lateEpoch)));
        version++
      :: else
      fi;
      lateEpoch = 0; lateVersion = 0
    }
#endif
  od
}

init {
  atomic {
#if VOTES == 0
    level[0] = DOWN; order[0] = 1; newest[0] = DOWN; newestOrder[0] = 1;
    level[1] = DOWN; order[1] = 1; newest[1] = DOWN; newestOrder[1] = 1;
#endif
    level[2] = DOWN; order[2] = 1; newest[2] = DOWN; newestOrder[2] = 1;
    run voter(0, 0);
    run voter(0, SUCCESSOR);
    run voter(1, 0);
    run contender(0);
    run contender(1)
  }
}
