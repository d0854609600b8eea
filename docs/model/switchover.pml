/* Switchover: nothing that the old primary acknowledged is lost, whatever the pause does (R11, R17).

   The primary, the target, one holder that may stall between any two steps, another voter's write hold, and a pause that ends at any
   moment. A write is acknowledged when the primary has it. What was sent before the freeze may still arrive at the target, or not. */

#include "rules.pml"

#ifndef WRITES
#define WRITES 3
#endif

bool S9_lossless = true;
bool R17_a_pause_lasts = true;

byte written = 0;                     /* by the primary: its offset */
byte received = 0;                    /* by the target: its offset */
bool accepts = true;
bool paused = false;
bool pausedByHolder = false;          /* the holder's pause was answered and has not run out */
bool linked = true;
bool promoted = false;

proctype holder() {
  byte shown = 0;

  /* Preflight, pause, and both are read after the pause was answered. */
  atomic { paused = true; pausedByHolder = true };
  atomic { shown = written };
  if
  :: received >= shown -> skip
  :: atomic { accepts && !paused -> goto restored }      /* the pause is over: nothing was changed */
  fi;

  /* The freeze: its reply has the last offset that there will ever be. */
  atomic {
    if
    :: R11_FREEZE -> accepts = false; linked = false; shown = (R11_OFFSET -> written : shown)
    :: else
    fi
  };

  if
  :: atomic {
      received == shown || (!R11_OFFSET && received >= shown) ->
      promoted = true;
      HOLDS(S9_lossless, received == written)
    }
  :: atomic { accepts = true; linked = true }            /* rolled back */
  fi;
restored:
  skip
}

proctype client() {
  do
  :: atomic {
      accepts && !paused && written < WRITES ->
      HOLDS(R17_a_pause_lasts, !pausedByHolder);
      HOLDS(S9_lossless, !promoted);
      written++
    }
  od
}

proctype replication() {
  do
  :: atomic { linked && received < written -> received++ }
  :: atomic { !linked && !promoted && received < written -> received++ }   /* what was sent drains */
  od
}

/* Another voter that believes the primary isolated delays its writes. A node has one pause, shared by all. */
proctype hold() {
  do
  :: atomic { accepts -> paused = true }
  :: atomic { accepts && !R17 -> paused = false }
  od
}

proctype clock() {
  do
  :: atomic { paused -> paused = false; pausedByHolder = false }
  od
}

init {
  atomic { run holder(); run client(); run replication(); run hold(); run clock() }
}
