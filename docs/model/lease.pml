/* Leases that give way, and votes that are over: whose grant comes over whose lease, and which votes may elect again (S2, S3).

   Two voters, of which both are the quorum. Each votes on the primary that it sees in the record, down or not, and a vote may be late. Each
   contends: it looks, and writes later on the condition of what it saw; nothing else limits when a vote counts here (freshness.pml). A
   holder commits, gives the primary its place back, renews and ends, stalls before any of it, and its lease lapses at any moment. A primary
   is the epoch of its commit. */

#include "rules.pml"

#ifndef VOTES
#define VOTES 2                       /* that a voter casts */
#endif
#ifndef EPOCHS
#define EPOCHS 4
#endif
#define VERSIONS 4

bool S2_no_write_of_a_past_holder = true;
bool S3_a_quorum_says_down = true;
bool S3_no_vote_elects_twice = true;

mtype = { quiet, failover, repair };
mtype = { begun, restored, committed };

/* The ballot. */
bool isDown[2];
byte order[2];
byte votedOn[2];                      /* the primary */
byte epoch = 1;
byte primary = 1;
byte version = 0;                     /* of the lease; 0 when there is none */
mtype operation = quiet;
mtype step = begun;

byte elected[2];                      /* the order of the vote that a grant last rested on */

/* For the primary of now, or for whichever. */
#define ELECTS(zone) (isDown[zone] && (votedOn[zone] == primary || !VOTE_PRIMARY))
#define GIVES_WAY (operation == quiet || operation == repair || step == committed || (step == restored && !YIELDS_DECIDED) || !YIELDS)

inline arrive(zone, says, which, on) {
  if
  :: which > order[zone] && on == primary -> isDown[zone] = says; order[zone] = which; votedOn[zone] = on
  :: else
  fi
}

proctype voter(byte zone) {
  byte seq = 0, lateOrder = 0, lateOn = 0;
  bool says = false, lateSays = false;

  do
  :: atomic {
      seq < VOTES ->
      seq++;
      if
      :: says = true
      :: says = false
      fi;
      if
      :: arrive(zone, says, seq, primary)
      :: lateOrder == 0 -> lateSays = says; lateOrder = seq; lateOn = primary
      fi;
      says = false
    }
  :: atomic { lateOrder != 0 -> arrive(zone, lateSays, lateOrder, lateOn); lateSays = false; lateOrder = 0; lateOn = 0 }
  od
}

inline give() {
  epoch = sawEpoch + 1; version = sawVersion + 1;
  mine = epoch; myVersion = version
}

inline forget() { sawEpoch = 0; sawVersion = 0; sawPrimary = 0; wants = quiet }

proctype contender() {
  byte sawEpoch = 0, sawVersion = 0, sawPrimary = 0, mine = 0, myVersion = 0;
  mtype wants = quiet;

  do
  :: atomic {
      wants == quiet && mine == 0 && epoch < EPOCHS ->
      sawEpoch = epoch; sawVersion = version; sawPrimary = primary;
      if
      :: ELECTS(0) && ELECTS(1) && GIVES_WAY -> wants = failover
      :: operation == quiet -> wants = repair
      :: operation != quiet -> wants = begun
      fi
    }
  :: atomic {
      wants == failover ->
      if
      :: epoch == sawEpoch && version == sawVersion && primary == sawPrimary && ELECTS(0) && ELECTS(1) ->
        HOLDS(S3_a_quorum_says_down, votedOn[0] == primary && votedOn[1] == primary);
        HOLDS(S3_no_vote_elects_twice, order[0] > elected[0] && order[1] > elected[1]);
        elected[0] = order[0]; elected[1] = order[1];
        give(); operation = failover; step = begun
      :: else
      fi;
      forget()
    }
  :: atomic {
      wants == repair ->
      if
      :: epoch == sawEpoch && version == sawVersion && primary == sawPrimary -> give(); operation = repair; step = begun
      :: else
      fi;
      forget()
    }
  /* The version that was watched has lapsed. */
  :: atomic {
      wants == begun ->
      if
      :: epoch == sawEpoch && version == sawVersion && operation != quiet -> give()
      :: else
      fi;
      forget()
    }
  /* The holder writes, under the lease that it knows to be its own. */
  :: atomic {
      mine != 0 ->
      if
      :: mine == epoch && myVersion == version && version < VERSIONS -> version++; myVersion = version
      :: ((mine == epoch && myVersion == version) || !HOLDER_VERSION) && operation == failover && step == begun && version < VERSIONS ->
        HOLDS(S2_no_write_of_a_past_holder, mine == epoch);
        version++; myVersion = version;
        if
        :: step = committed; primary = mine
        :: step = restored
        fi
      :: (mine == epoch && myVersion == version) || !HOLDER_VERSION ->
        HOLDS(S2_no_write_of_a_past_holder, mine == epoch);
        version = 0; operation = quiet; step = begun; mine = 0; myVersion = 0;
        isDown[0] = isDown[0] && !FINISH_CLEARS; isDown[1] = isDown[1] && !FINISH_CLEARS
      :: mine != epoch || myVersion != version -> mine = 0; myVersion = 0
      fi
    }
  od
}

init {
  atomic {
    votedOn[0] = 1; votedOn[1] = 1;
    run voter(0); run voter(1); run contender(); run contender()
  }
}
