/* Stopping the old primary's host: what `stopInstance` adds to S5 (section 9).

   The ballot with the wish of its operation, holders of epochs 2 and up, the old primary, which answers or does not, one candidate, and
   stoppers. Every command takes effect and is answered, or is left under way, and a newer epoch's command closes what older ones left (S4,
   as fence.pml shows it). A holder may stop for ever, or for a while, between any two steps. A stopper has the host stopped, or is refused,
   and writes that late or never; two may be at one wish, and one may come after its operation has ended. A host that was stopped may be
   started again, boot-fenced. Without PROMOTES loss is refused. */

#include "rules.pml"

#ifndef EPOCHS
#define EPOCHS 4
#endif
#ifdef BEST_EFFORT
#define REQUIRED false
#else
#define REQUIRED true
#endif
#ifdef PROMOTES
#define REFUSES false
#else
#define REFUSES true
#endif

#define BIT(n) (1 << (n))

bool S5_replaced_only_when_out_of_the_way = true;
bool S5_one_takes_writes = true;
bool L1_best_effort_waits_for_nobody = true;

mtype = { nobody, old, candidate };
mtype = { quiet, begun, intended, restoring };
mtype = { unasked, asked, stopped, refused };

/* The ballot. The wish belongs to the operation, and has the epoch under which it was asked for. */
byte epoch = 1;
mtype primary = old;
mtype step = quiet;
mtype meant = nobody;
bool isOpen = false;                  /* the candidate was meant, and may have been promoted since */
mtype outcome = unasked;
byte wished = 0;

/* The nodes: who takes writes, and what is under way to them, a bit for each epoch. */
bool oldAccepts = true;
bool oldRuns = true;
bool oldIsAnother = false;            /* started again since it was committed: not the process that was voted down */
bool oldWasFrozen = false;            /* by whatever epoch, since the last commit */
byte oldTouched = 0;
byte oldFreezes = 0;
byte oldPromotions = 0;
bool newAccepts = false;
bool newWasPromoted = false;          /* since the last commit: its history is newer than the old primary's */
byte newTouched = 0;
byte newPromotions = 0;

inline touchOld(by) { oldTouched = by; oldFreezes = 0; oldPromotions = 0 }
inline touchNew(by) { newTouched = by; newPromotions = 0 }

/* Who is promoted late, after the old primary was given its place back, takes writes beside it; where loss is refused that cannot be (R21). */
#define OLD_TAKES_WRITES (oldAccepts && !oldIsAnother)
#define TWO_TAKE_WRITES (OLD_TAKES_WRITES && newAccepts)

inline promoteOld(by) {
  touchOld(by);
  oldAccepts = true;
  HOLDS(S5_one_takes_writes, !TWO_TAKE_WRITES || !REQUIRED || !REFUSES)
}

inline promoteNew(by) {
  touchNew(by);
  newAccepts = true; newWasPromoted = true;
  HOLDS(S5_one_takes_writes, !TWO_TAKE_WRITES || !REQUIRED || !REFUSES)
}

#define RECORD_IS_MINE (epoch == e)
#define OUT_OF_THE_WAY (frozenOld || (!STOP_EPOCH && oldWasFrozen) || outcome == stopped)
/* `best-effort` goes on after a refusal, and when it has waited for long enough. */
#define MAY_MEAN (OUT_OF_THE_WAY || !STOP || (!REQUIRED && STOP_GOES_ON && (outcome == refused || waited)))
#define NEVER_PROMOTED (!isOpen || (frozenNew && !newWasPromoted))

proctype holder(byte e) {
  bool frozenOld = false, frozenNew = false, sentNew = false, waited = false;
  mtype settled = nobody;

  atomic {
    epoch == e - 1 ->
    epoch = e;
    if
    :: step == quiet -> step = begun; outcome = unasked; wished = 0
    :: else                           /* a take-over, which finds the wish and goes on with it */
    fi
  }

  do
  /* The old primary may be out of reach: then its freeze lies under way, or nothing is sent. */
  :: atomic {
      RECORD_IS_MINE && primary == old && settled == nobody && !frozenOld && oldRuns && step != restoring ->
      if
      :: touchOld(e); oldAccepts = false; oldWasFrozen = true; frozenOld = true
      :: oldFreezes = oldFreezes | BIT(e)
      fi
    }
  :: atomic { RECORD_IS_MINE && primary == old && settled == nobody && !frozenNew && !newAccepts -> touchNew(e); frozenNew = true; sentNew = false }
  /* Promoted by an intent of this operation: settled where the record means it, else frozen to contend. */
  :: atomic {
      RECORD_IS_MINE && primary == old && settled == nobody && newAccepts ->
      touchNew(e);
      if
      :: meant == candidate -> settled = candidate
      :: else -> newAccepts = false; frozenNew = true
      fi
    }
  :: atomic {
      RECORD_IS_MINE && settled == nobody && frozenNew && !frozenOld && primary == old && outcome == unasked && step != restoring ->
      outcome = asked; wished = e
    }
  :: atomic { RECORD_IS_MINE && settled == nobody && frozenNew && primary == old && outcome == asked && !waited && !REQUIRED -> waited = true }
  :: atomic {
      RECORD_IS_MINE && settled == nobody && frozenNew && primary == old && (step != restoring || newWasPromoted) && MAY_MEAN ->
      HOLDS(S5_replaced_only_when_out_of_the_way, !OLD_TAKES_WRITES || !REQUIRED);
      step = intended; meant = candidate; isOpen = true;
      if
      :: promoteNew(e); settled = candidate
      :: newPromotions = newPromotions | BIT(e); sentNew = true
      :: skip                         /* the holder is gone */
      fi;
      frozenNew = false
    }
  /* What a best-effort waits for is over after a while, whatever the stopper does. */
  :: atomic {
      RECORD_IS_MINE && settled == nobody && frozenNew && primary == old && (waited || outcome == refused) && !REQUIRED ->
      HOLDS(L1_best_effort_waits_for_nobody, MAY_MEAN)
    }
  /* It answers and serves: it gets its place back (R21). */
  :: atomic {
      RECORD_IS_MINE && primary == old && settled == nobody && !frozenOld && oldAccepts && NEVER_PROMOTED && !sentNew ->
      touchOld(e); step = restoring; meant = old; isOpen = false; settled = old
    }
  /* Its connection was closed meanwhile, or it was started again: what the freeze showed no longer holds. */
  :: atomic { frozenOld && settled == nobody && oldRuns && oldTouched != e -> frozenOld = false }
  /* It is frozen: the same by NO ONE; where loss is not refused an open intent is no obstacle. */
  :: atomic {
      RECORD_IS_MINE && primary == old && settled == nobody && frozenOld && oldTouched == e && !newWasPromoted &&
      ((NEVER_PROMOTED && !sentNew) || !REFUSES) ->
      step = restoring; meant = old; isOpen = false; frozenOld = false;
      if
      :: promoteOld(e); settled = old
      :: oldPromotions = oldPromotions | BIT(e)
      fi
    }
  :: atomic {
      RECORD_IS_MINE && settled != nobody ->
      HOLDS(S5_replaced_only_when_out_of_the_way, settled == old || !OLD_TAKES_WRITES || !REQUIRED);
      primary = settled; oldIsAnother = oldIsAnother && settled != old; step = quiet; meant = nobody; isOpen = false; outcome = unasked; wished = 0; oldWasFrozen = false;
      frozenOld = false; frozenNew = false; sentNew = false; waited = false; settled = nobody;
      break
    }
  /* Nobody can be chosen: the attempt ends, and with it the wish. */
  :: atomic {
      RECORD_IS_MINE && settled == nobody && NEVER_PROMOTED && !sentNew ->
      step = quiet; meant = nobody; isOpen = false; outcome = unasked; wished = 0;
      frozenOld = false; frozenNew = false; waited = false;
      break
    }
  od
}

proctype stopper() {
  byte wish = 0;
  mtype said = unasked;
  bool isUnderWay = false;            /* AWS has taken the order, and the host runs still */

  do
  :: atomic { wish == 0 && outcome == asked -> wish = wished }
  :: atomic { wish != 0 && said == unasked && !isUnderWay -> said = refused }
  :: atomic { wish != 0 && said == unasked && !isUnderWay -> isUnderWay = true }
  :: atomic { isUnderWay && !STOP_SEEN && said == unasked -> said = stopped }
  :: atomic {
      isUnderWay ->
      oldRuns = false; oldAccepts = false; touchOld(0); isUnderWay = false; said = stopped
    }
  :: atomic {
      said != unasked && !isUnderWay || (said == stopped && !STOP_SEEN) ->
      if
      :: outcome == asked && (wished == wish || !STOP_RECORD) -> outcome = said
      :: else
      fi;
      wish = 0; said = unasked;
      break
    }
  od
}

proctype world() {
  do
  :: atomic { BIT(2) & oldFreezes -> touchOld(2); oldAccepts = false }
  :: atomic { BIT(3) & oldFreezes -> touchOld(3); oldAccepts = false }
  :: atomic { BIT(2) & oldPromotions -> promoteOld(2) }
  :: atomic { BIT(3) & oldPromotions -> promoteOld(3) }
  :: atomic { BIT(2) & newPromotions -> promoteNew(2) }
  :: atomic { BIT(3) & newPromotions -> promoteNew(3) }
#if EPOCHS > 3
  :: atomic { BIT(4) & oldFreezes -> touchOld(4); oldAccepts = false }
  :: atomic { BIT(4) & oldPromotions -> promoteOld(4) }
  :: atomic { BIT(4) & newPromotions -> promoteNew(4) }
#endif
  /* Started again: another process, boot-fenced. While it is still the committed one it may be frozen and given its place back. */
  :: atomic { !oldRuns -> oldRuns = true; oldIsAnother = true }
  od
}

init {
  atomic {
    run world();
    run stopper();
    run stopper();
    run holder(2);
    run holder(3);
#if EPOCHS > 3
    run holder(4)
#endif
  }
}
