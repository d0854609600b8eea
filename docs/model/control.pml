/* Pausing and observing: what is begun, sent and held beside a mode that says not to, and what becomes of what had begun (S8, S10).

   The ballot with its mode, a person who pauses and resumes, and voters, of which each brings in the mode that its declaration says. What a
   voter decides it decides by a look; its write takes effect at once and is answered, or later, or never, and its answer may be lost. A
   voter may die, and a lease lapse while its holder lives. Votes and nodes are taken for granted: a quorum finds the primary gone at all
   times, and an operation is grant, commit, end. With SENDS it is about what a voter sends that holds no lease, and time is counted in vote
   windows. */

#include "rules.pml"

#ifndef CHANGES
#define CHANGES 3                     /* of the mode, by the person */
#endif
#define GRANTS 2
#define LAPSES 1
#define LOSSES 1
#define NOBODY 2
#define WINDOW 1
#define TICKS 3
#define BIT(n) (1 << (n))

bool S8_nothing_begins = true;
bool S8_who_knows_sends_nothing = true;
bool S8_no_hold_beyond_the_window = true;
bool S8_what_was_begun_is_finished = true;
bool S8_a_person_ends_a_pause = true;
bool S10_acts_on_what_the_table_gave = true;
bool L2_a_resumed_group_acts = true;

mtype = { act, observe, paused };
mtype = { unadopted, quiet, begun, telling };

/* The ballot. */
mtype mode = act;
byte control = 0;                     /* tells one change of the mode from the next */
mtype step = unadopted;
bool isRepair = false;
byte epoch = 1;
byte holder = NOBODY;

byte now = 0;
byte since = 0;                       /* when the mode last began to say not to act */
bool hasLooked = false;               /* the sender, since the mode was last changed */

inline setMode(to) {
  since = (mode == act && to != act -> now : since);
  hasLooked = false;
  mode = to; control++
}

proctype person() {
  byte changes = 0;
  mtype returnsTo = act;

  do
  :: atomic {
      changes < CHANGES ->
      changes++;
      if
      :: mode == paused -> setMode(returnsTo)
      :: else -> returnsTo = mode; setMode(paused)
      fi
    }
  :: break                            /* has nothing more to say, and the last mode stays */
  od
}

#ifdef SENDS

/* An operation begins while the mode says to act, and ends whatever it says. */
proctype operations() {
  byte count = 0;
  step = quiet;
  do
  :: atomic { step == quiet && mode == act && count < GRANTS -> count++; step = begun }
  :: atomic { step == begun -> step = quiet }
  od
}

proctype declaration() {
  do
  :: atomic { mode == observe -> setMode(act) }
  :: atomic { mode == act && control < CHANGES + 2 -> setMode(observe) }
  od
}

proctype clock() {
  do
  :: atomic { now < TICKS -> now++ }
  od
}

/* A voter without the lease. When it looks is its own affair: it may be cut off from the table, for a while or for ever. */
proctype sender() {
  mtype sawMode = paused, sawStep = quiet;
  byte lookedAt = 0, lookedBefore = 0;

  do
  :: atomic { sawMode = mode; sawStep = step; lookedBefore = lookedAt; lookedAt = now; hasLooked = true }
  /* Silences a former primary (R16): in an operation's course, or beside none where it may act. */
  :: atomic { sawMode == act || sawStep != quiet || !ASSIST_MODE -> HOLDS(S8_who_knows_sends_nothing, mode == act || !hasLooked || sawStep != quiet) }
  /* Holds writes, by votes that are news to its last look: the one before did not show them. */
  :: atomic {
      (sawMode == act || !HOLD_MODE) && (now - lookedBefore <= WINDOW || !HOLD_FRESH) ->
      HOLDS(S8_who_knows_sends_nothing, mode == act || !hasLooked);
      HOLDS(S8_no_hold_beyond_the_window, mode == act || now - since <= WINDOW)
    }
  /* Votes, but not under a pause. */
  :: atomic { sawMode != paused || !VOTE_MODE -> HOLDS(S8_who_knows_sends_nothing, mode != paused || !hasLooked) }
  od
}

init {
  atomic { run person(); run operations(); run declaration(); run clock(); run sender() }
}

#else

byte given[2];                        /* the epochs that each voter was given, a bit for each */
bool isDead[2];
bool mayDie = true;                   /* one of the two, or neither */
byte grants = 0, lapses = 0, losses = 0;

/* A repair gives way, and so does what is only telling. */
#define GIVES_WAY (step == quiet || step == telling || isRepair)
#define LAPSED (isDead[holder] || holder == v || lapses < LAPSES)

proctype voter(byte v; mtype declared) {
  byte mine = 0;                      /* the epoch that it holds, 0 for none */
  bool isUnknown = false;             /* a write of its own has no answer, and no look has resolved that */
  bool hasPaused = false;
  mtype wish = quiet;                 /* under way: `begun`: a grant; `unadopted`: an adoption */
  byte wishEpoch = 0, wishControl = 0;
  bool hasFollowed = false, isFollowing = false;
  byte followControl = 0;

  do
  /* Looks, and decides to begin something. */
  :: atomic {
      wish == quiet && !isUnknown && mine == 0 && mode == act && !hasPaused && (step == unadopted || (grants < GRANTS && GIVES_WAY)) ->
      wish = (step == unadopted -> unadopted : begun); wishEpoch = epoch; wishControl = control
    }
  :: atomic { mode == paused && !RESUMES && !hasPaused -> hasPaused = true }
  /* The write reaches the table, and is answered unless it has been given up. */
  :: atomic {
      wish == begun ->
      if
      :: epoch == wishEpoch && (control == wishControl || !GRANT_CONTROL) && GIVES_WAY && grants < GRANTS ->
        HOLDS(S8_nothing_begins, mode == act);
        epoch++; grants++; holder = v; given[v] = given[v] | BIT(epoch); step = begun;
        if
        :: isRepair = true
        :: isRepair = false
        fi;
        mine = (isUnknown -> mine : epoch)
      :: else
      fi;
      wish = quiet; wishControl = 0; wishEpoch = (isUnknown -> wishEpoch : 0)
    }
  :: atomic {
      wish == unadopted ->
      if
      :: epoch == wishEpoch && step == unadopted && (control == wishControl || !ADOPT_CONTROL) ->
        HOLDS(S8_nothing_begins, mode == act);
        epoch++; step = quiet
      :: else
      fi;
      wish = quiet; wishControl = 0; wishEpoch = (isUnknown -> wishEpoch : 0)
    }
  /* It is given up: it may be carried out later, or never, or was. */
  :: atomic {
      wish == begun && !isUnknown && losses < LOSSES ->
      losses++;
      if
      :: UNKNOWN_WAITS -> isUnknown = true
      :: else -> mine = wishEpoch + 1
      fi
    }
  :: atomic { isUnknown && wish != quiet -> wish = quiet; wishControl = 0 }
  /* A look resolves it: the lease is its own, or it acts on nothing. */
  :: atomic {
      isUnknown ->
      mine = (holder == v && epoch == wishEpoch + 1 -> epoch : 0);
      isUnknown = false; wishEpoch = (wish == quiet -> 0 : wishEpoch)
    }

  /* The holder acts, and writes what it has done on the condition of its own lease. */
  :: atomic {
      mine != 0 ->
      HOLDS(S10_acts_on_what_the_table_gave, (given[v] & BIT(mine)) != 0);
      if
      :: mine != epoch || holder != v -> mine = 0
      :: mine == epoch && holder == v && step == begun && !isRepair -> step = telling
      :: mine == epoch && holder == v && (step == telling || isRepair) -> step = quiet; isRepair = false; holder = NOBODY; mine = 0
      fi
    }
  /* Another goes on with what a lost holder began. */
  :: atomic {
      mine == 0 && !isUnknown && (step == begun || step == telling) && (mode == act || TAKE_OVER_MODE) && LAPSED ->
      lapses = (isDead[holder] || holder == v -> lapses : lapses + 1);
      epoch++; holder = v; given[v] = given[v] | BIT(epoch); mine = epoch
    }

  /* What is declared is brought in, but not over a pause. */
  :: atomic { !hasFollowed && mode != paused && mode != declared -> hasFollowed = true; isFollowing = true; followControl = control }
  :: atomic {
      isFollowing ->
      if
      :: control == followControl || !SAME_CONTROL -> HOLDS(S8_a_person_ends_a_pause, mode != paused); setMode(declared)
      :: else
      fi;
      isFollowing = false; followControl = 0
    }

  :: atomic { mayDie -> mayDie = false; isDead[v] = true; break }
  od
}

/* Nothing more can happen; one voter lives. */
proctype end() {
  if
  :: mayDie = false
  :: !mayDie
  fi;
  atomic {
    timeout ->
    HOLDS(S8_what_was_begun_is_finished, step == quiet || step == unadopted);
    HOLDS(L2_a_resumed_group_acts, mode != act || grants == GRANTS)
  }
}

init {
  atomic { run person(); run voter(0, act); run voter(1, observe); run end() }
}
#endif
