/* Which rules of docs/protocol.md (section 13) are in force. All are, until one is removed: -DNO_R2 removes R2. A name that a model does
   not use has no effect there. */

#ifdef NO_R1
#define R1 false
#else
#define R1 true
#endif
#ifdef NO_R2
#define R2 false
#else
#define R2 true
#endif
#ifdef NO_R3
#define R3 false
#else
#define R3 true
#endif
#ifdef NO_R4
#define R4 false
#else
#define R4 true
#endif
#ifdef NO_R5
#define R5 false
#else
#define R5 true
#endif
#ifdef NO_R6
#define R6 false
#else
#define R6 true
#endif
#ifdef NO_R7
#define R7 false
#else
#define R7 true
#endif
#ifdef NO_R8_ORDER
#define R8_ORDER false
#else
#define R8_ORDER true
#endif
#ifdef NO_R8_REPAIR
#define R8_REPAIR false
#else
#define R8_REPAIR true
#endif
#ifdef NO_R9_KILL
#define R9_KILL false
#else
#define R9_KILL true
#endif
#ifdef NO_R9_LOOK
#define R9_LOOK false
#else
#define R9_LOOK true
#endif
#ifdef NO_R10
#define R10 false
#else
#define R10 true
#endif
#ifdef NO_R11
#define R11 false
#else
#define R11 true
#endif
#ifdef NO_R12
#define R12 false
#else
#define R12 true
#endif
#ifdef NO_R13
#define R13 false
#else
#define R13 true
#endif
#ifdef NO_R15
#define R15 false
#else
#define R15 true
#endif
#ifdef NO_R16
#define R16 false
#else
#define R16 true
#endif
#ifdef NO_R17
#define R17 false
#else
#define R17 true
#endif
#ifdef NO_R18_DISTINCT
#define R18_DISTINCT false
#else
#define R18_DISTINCT true
#endif
#ifdef NO_R18_GROWS
#define R18_GROWS false
#else
#define R18_GROWS true
#endif
#ifdef NO_R19
#define R19 false
#else
#define R19 true
#endif
#ifdef NO_R21
#define R21 false
#else
#define R21 true
#endif
#ifdef NO_R22
#define R22 false
#else
#define R22 true
#endif
#ifdef NO_R23
#define R23 false
#else
#define R23 true
#endif
#ifdef NO_R24
#define R24 false
#else
#define R24 true
#endif
#ifdef NO_R25
#define R25 false
#else
#define R25 true
#endif

/* The parts of R21 (a): what shows that an intent's node was never promoted. */
#ifdef NO_R21_SETTLED
#define R21_SETTLED false
#else
#define R21_SETTLED true
#endif
#ifdef NO_R21_COMPARED
#define R21_COMPARED false
#else
#define R21_COMPARED true
#endif
#ifdef NO_R21_REFUSED
#define R21_REFUSED false
#else
#define R21_REFUSED true
#endif
#ifdef NO_R21_OTHERS
#define R21_OTHERS false
#else
#define R21_OTHERS true
#endif
#ifdef NO_R21_UNANSWERED
#define R21_UNANSWERED false
#else
#define R21_UNANSWERED true
#endif

/* Conditions of section 14 that no rule names, and that can be removed in the same way. */
#ifdef NO_GRANT_EPOCH
#define GRANT_EPOCH false
#else
#define GRANT_EPOCH true
#endif
#ifdef NO_GRANT_VOTES
#define GRANT_VOTES false
#else
#define GRANT_VOTES true
#endif
#ifdef NO_SAME_LEASE
#define SAME_LEASE false
#else
#define SAME_LEASE true
#endif
#ifdef NO_HOLDER_VERSION
#define HOLDER_VERSION false
#else
#define HOLDER_VERSION true
#endif

/* Section 9, step 4: another node is meant under the same epoch only once its NO ONE to the first one was answered. */
#ifdef NO_ONE_HISTORY
#define ONE_HISTORY false
#else
#define ONE_HISTORY true
#endif

/* Section 9, "Stopping the old primary's host". */
#ifdef NO_STOP
#define STOP false
#else
#define STOP true
#endif
#ifdef NO_STOP_EPOCH
#define STOP_EPOCH false
#else
#define STOP_EPOCH true
#endif
#ifdef NO_STOP_RECORD
#define STOP_RECORD false
#else
#define STOP_RECORD true
#endif
#ifdef NO_STOP_SEEN
#define STOP_SEEN false
#else
#define STOP_SEEN true
#endif
#ifdef NO_STOP_GOES_ON
#define STOP_GOES_ON false
#else
#define STOP_GOES_ON true
#endif

/* A promise is asserted through a variable of its name, which the verifier then prints. */
#define HOLDS(promise, condition) promise = (condition); assert(promise); promise = true
