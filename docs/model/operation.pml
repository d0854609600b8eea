/* An operation that is interrupted: whoever comes next ends it, by the record and what the nodes show, and it never stands for ever (S11).

   The ballot with its operation, two voters, three nodes. A voter reaches some of the nodes and not others, which changes some times and then
   stays as it is. One voter may die at any moment; a lease lapses when its holder is dead, when it lets go, and once while it acts. A NO ONE
   may have no answer, and takes effect late or never, unless a later command has closed its connection: what is sent under a lease that has
   passed is fence.pml's. One node is enough, a roll back is as under `refuse`, and what is read is frozen in the same moment. */

#include "rules.pml"

#ifndef CHANGES
#define CHANGES 2                     /* of who reaches whom */
#endif
#ifndef GRANTS
#define GRANTS 2
#endif
#define LAPSES 1
#define LOSSES 1
#define NOBODY 3
#define BIT(n) (1 << (n))

bool S11_no_operation_stands_for_ever = true;
bool S11_ends_with_a_primary = true;

mtype = { failover, switchover };
mtype = { quiet, begun, intended, restoring, committed };

/* The ballot. Of the nodes of open intents the primary is left out. */
byte epoch = 1;
byte primary = 0;
byte holder = 0;
mtype kind = failover;
mtype step = quiet;
byte meant = NOBODY;
byte open = 0;

/* The nodes, a bit for each. */
byte serves = BIT(0);
byte promoted = 0;                    /* since the primary was committed */
byte underWay = 0;                    /* a NO ONE that may arrive still */
byte reach[2];                        /* by each voter */

bool isDead[2];
bool mayDie = true;                   /* one of the two, or neither */
bool isLeft = false;                  /* the lease: its holder could neither go on nor end, and let it lapse */
bool hasLeft[2];                      /* who has done so already, since the operation began */
bool hasGivenUp = false;              /* nobody could be chosen, and the primary did not answer */
byte grants = 0, lapses = 0, losses = 0;

#define OTHERS (7 & ~BIT(primary))
#define SERVES(n) (serves & BIT(n))
#define REACHES(v, n) (reach[v] & BIT(n))
#define CANDIDATES(v) (reach[v] & OTHERS)
#define UNREAD(v) (open & ~reach[v])
#define UNDER_WAY (step == begun || step == intended || step == restoring)

/* There is no way round an open intent whose node cannot be read, unless somebody else can be promoted. */
#define IS_HELD(v) (reach[v] == 0 || (UNREAD(v) != 0 && ((REACHES(v, primary) && SERVES(primary)) || CANDIDATES(v) == 0)))

#define LAPSED (isDead[holder] || isLeft)
#define IS_MINE (mine != 0 && mine == epoch)
#define CONTENDS (IS_MINE && UNDER_WAY && settled == NOBODY)
#define NEVER_PROMOTED ((open & ~frozen) == 0 && (open & promoted) == 0 && sent == 0)
/* The old primary serves, and nothing of a later history was found. */
#define COMES_BACK (REACHES(v, primary) && SERVES(primary) && (frozen & promoted & open) == 0)

inline forget() { frozen = 0; hasMeant = false; sent = 0; settled = NOBODY; isFirst = false }
inline hold() { epoch++; holder = v; mine = epoch; isLeft = false; forget() }
inline begin(what) { hold(); grants++; kind = what; step = begun; meant = NOBODY; open = 0; isFirst = true; hasGivenUp = false; hasLeft[0] = false; hasLeft[1] = false }
inline finish() { step = quiet; mine = 0; meant = NOBODY; open = 0; forget() }

/* What a freeze reaches: not a primary that serves, unless it is to hand over, and not the node that is found promoted as meant. */
#define SPARES_PRIMARY (SERVES(primary) && !(kind == switchover && isFirst) -> BIT(primary) : 0)
#define SPARES_MEANT (meant != NOBODY && step == intended -> promoted & serves & BIT(meant) : 0)
#define TO_FREEZE (reach[v] & ~frozen & ~SPARES_PRIMARY & ~SPARES_MEANT)

#define MAY_MEAN(n) (CONTENDS && TO_FREEZE == 0 && !COMES_BACK && sent == 0 && (UNREAD(v) == 0 || GOES_PAST) && \
  (kind == failover || (frozen & BIT(primary))) && (frozen & OTHERS & BIT(n)) && \
  ((frozen & promoted & OTHERS) == 0 || (promoted & BIT(n))) && !(hasMeant && MEANS_ONCE))

inline mean(n) { step = intended; meant = n; open = open | BIT(n); hasMeant = true }

proctype voter(byte v) {
  byte mine = 0;                      /* the epoch that it holds, 0 for none; what follows was learned under it */
  byte frozen = 0;
  byte sent = 0;                      /* NO ONE without an answer */
  byte settled = NOBODY;
  bool hasMeant = false;              /* and has not sent its NO ONE */
  bool isFirst = false;               /* the operation is its own, not taken over */

  do
  /* Begins, beside nothing that stands, or over what is only telling of a primary that is gone. */
  :: atomic {
      mine == 0 && grants < GRANTS && CANDIDATES(v) != 0 && !(REACHES(v, primary) && SERVES(primary)) && (step == quiet || step == committed) ->
      begin(failover)
    }
  :: atomic { mine == 0 && grants < GRANTS && CANDIDATES(v) != 0 && REACHES(v, primary) && SERVES(primary) && step == quiet -> begin(switchover) }

  /* Goes on with what another left. Who finds the new primary gone, and can begin nothing, ends what is only telling. */
  :: atomic {
      mine == 0 && TAKE_OVER && step != quiet && reach[v] != 0 && (!hasLeft[v] || !IS_HELD(v)) && (LAPSED || lapses < LAPSES) &&
      (step != committed || REACHES(v, primary) || TELLING_ENDS) ->
      lapses = (LAPSED -> lapses : lapses + 1);
      hold()
    }
  :: atomic { mine != 0 && mine != epoch -> mine = 0; forget() }

  :: atomic {
      CONTENDS && TO_FREEZE != 0 ->
      serves = serves & ~TO_FREEZE; underWay = underWay & ~TO_FREEZE; sent = sent & ~TO_FREEZE; frozen = frozen | TO_FREEZE
    }
  :: atomic {
      CONTENDS && step == intended && meant != NOBODY && (promoted & BIT(meant)) && SERVES(meant) && REACHES(v, meant) ->
      underWay = underWay & ~BIT(meant); settled = meant
    }

  /* Chooses among the frozen, means, promotes. */
  :: atomic { MAY_MEAN(0) -> mean(0) }
  :: atomic { MAY_MEAN(1) -> mean(1) }
  :: atomic { MAY_MEAN(2) -> mean(2) }
  :: atomic {
      CONTENDS && hasMeant ->
      frozen = frozen & ~BIT(meant); hasMeant = false;
      if
      :: REACHES(v, meant) -> serves = serves | BIT(meant); promoted = promoted | BIT(meant); settled = meant
      :: !REACHES(v, meant)           /* nothing could be sent */
      :: losses < LOSSES -> losses++; underWay = underWay | BIT(meant); sent = sent | BIT(meant)
      fi
    }
  /* No word of it: under the next epoch the others contend. */
  :: atomic { CONTENDS && (sent & ~reach[v]) != 0 -> hold() }

  /* Rolls back: to a primary that serves, or to one that is frozen when nobody else can be promoted or it was to hand over. */
  :: atomic {
      CONTENDS && COMES_BACK && NEVER_PROMOTED ->
      step = restoring; meant = primary; open = 0; settled = primary
    }
  :: atomic {
      CONTENDS && TO_FREEZE == 0 && (frozen & BIT(primary)) && NEVER_PROMOTED && (CANDIDATES(v) == 0 || kind == switchover) ->
      step = restoring; meant = primary; open = 0; frozen = frozen & ~BIT(primary); serves = serves | BIT(primary); settled = primary
    }
  :: atomic { CONTENDS && kind == switchover && !REACHES(v, primary) && BECOMES_FAILOVER -> kind = failover }

  /* Ends. */
  :: atomic {
      IS_MINE && UNDER_WAY && settled != NOBODY ->
      primary = settled; promoted = 0; step = committed; open = 0; meant = NOBODY; forget()
    }
  :: atomic { IS_MINE && step == committed -> finish() }
  :: atomic {
      CONTENDS && CANDIDATES(v) == 0 && NEVER_PROMOTED && !REACHES(v, primary) && kind == failover ->
      hasGivenUp = true; finish()
    }
  :: atomic { !ROLLS_BACK && CONTENDS && !isFirst && NEVER_PROMOTED -> finish() }
  :: atomic { CONTENDS && IS_HELD(v) && LETS_GO -> isLeft = true; hasLeft[v] = true; mine = 0; forget() }

  :: atomic { mayDie -> mayDie = false; isDead[v] = true; break }
  od
}

inline flip(v, n) { reach[v] = reach[v] ^ BIT(n) }

proctype world() {
  byte changes = 0;
  do
  :: atomic {
      changes < CHANGES ->
      changes++;
      if
      :: flip(0, 0) :: flip(0, 1) :: flip(0, 2)
      :: flip(1, 0) :: flip(1, 1) :: flip(1, 2)
      fi
    }
  :: atomic { mayDie -> mayDie = false }
  :: atomic { underWay & BIT(0) -> underWay = underWay & ~BIT(0); serves = serves | BIT(0); promoted = promoted | BIT(0) }
  :: atomic { underWay & BIT(1) -> underWay = underWay & ~BIT(1); serves = serves | BIT(1); promoted = promoted | BIT(1) }
  :: atomic { underWay & BIT(2) -> underWay = underWay & ~BIT(2); serves = serves | BIT(2); promoted = promoted | BIT(2) }
  od
}

#define MAY_STAND(v) (isDead[v] || IS_HELD(v))
#define IS_READ(n) ((!isDead[0] && REACHES(0, n)) || (!isDead[1] && REACHES(1, n)))

/* Nothing more can happen. */
proctype end() {
  atomic {
    timeout ->
    HOLDS(S11_no_operation_stands_for_ever, step == quiet || (MAY_STAND(0) && MAY_STAND(1)));
    HOLDS(S11_ends_with_a_primary, step != quiet || hasGivenUp || SERVES(primary) != 0 || !IS_READ(primary))
  }
}

init {
  byte i;
  atomic {
    select(i : 0 .. 7); reach[0] = i;
    select(i : 0 .. 7); reach[1] = i;
    i = 0;
    run world(); run voter(0); run voter(1); run end()
  }
}
