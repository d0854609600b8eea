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
#ifdef NO_R11_FREEZE
#define R11_FREEZE false
#else
#define R11_FREEZE true
#endif
#ifdef NO_R11_OFFSET
#define R11_OFFSET false
#else
#define R11_OFFSET true
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
#ifdef NO_R23_WEAKEN
#define R23_WEAKEN false
#else
#define R23_WEAKEN true
#endif
#ifdef NO_R23_RETRACT
#define R23_RETRACT false
#else
#define R23_RETRACT true
#endif
#ifdef NO_R24
#define R24 false
#else
#define R24 true
#endif
#ifdef NO_R25_MATCH
#define R25_MATCH false
#else
#define R25_MATCH true
#endif
#ifdef NO_R25_HOLD
#define R25_HOLD false
#else
#define R25_HOLD true
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

/* Section 6: which generation a voter's invocation has, and which look makes a vote count, until when. */
#ifdef NO_GENERATION
#define GENERATION false
#else
#define GENERATION true
#endif
#ifdef NO_FRESH_NEWS
#define FRESH_NEWS false
#else
#define FRESH_NEWS true
#endif
#ifdef NO_FRESH_SENT
#define FRESH_SENT false
#else
#define FRESH_SENT true
#endif
#ifdef NO_FRESH_CONSISTENT
#define FRESH_CONSISTENT false
#else
#define FRESH_CONSISTENT true
#endif
#ifdef NO_FRESH_WINDOW
#define FRESH_WINDOW false
#else
#define FRESH_WINDOW true
#endif

/* What S8 and S10 rest on: sections 7, 9, 10 and 14. */
#ifdef NO_GRANT_CONTROL
#define GRANT_CONTROL false
#else
#define GRANT_CONTROL true
#endif
#ifdef NO_ADOPT_CONTROL
#define ADOPT_CONTROL false
#else
#define ADOPT_CONTROL true
#endif
#ifdef NO_SAME_CONTROL
#define SAME_CONTROL false
#else
#define SAME_CONTROL true
#endif
#ifdef NO_HOLD_MODE
#define HOLD_MODE false
#else
#define HOLD_MODE true
#endif
#ifdef NO_HOLD_FRESH
#define HOLD_FRESH false
#else
#define HOLD_FRESH true
#endif
#ifdef NO_ASSIST_MODE
#define ASSIST_MODE false
#else
#define ASSIST_MODE true
#endif
#ifdef NO_VOTE_MODE
#define VOTE_MODE false
#else
#define VOTE_MODE true
#endif
#ifdef NO_TAKE_OVER_MODE
#define TAKE_OVER_MODE false
#else
#define TAKE_OVER_MODE true
#endif
#ifdef NO_UNKNOWN_WAITS
#define UNKNOWN_WAITS false
#else
#define UNKNOWN_WAITS true
#endif
#ifdef NO_RESUMES
#define RESUMES false
#else
#define RESUMES true
#endif

/* Sections 7 and 9: which leases give way, and which votes are over. */
#ifdef NO_VOTE_PRIMARY
#define VOTE_PRIMARY false
#else
#define VOTE_PRIMARY true
#endif
#ifdef NO_FINISH_CLEARS
#define FINISH_CLEARS false
#else
#define FINISH_CLEARS true
#endif
#ifdef NO_YIELDS
#define YIELDS false
#else
#define YIELDS true
#endif
#ifdef NO_YIELDS_DECIDED
#define YIELDS_DECIDED false
#else
#define YIELDS_DECIDED true
#endif

/* Section 9, "Interruption": what keeps an operation from standing for ever. */
#ifdef NO_TAKE_OVER
#define TAKE_OVER false
#else
#define TAKE_OVER true
#endif
#ifdef NO_LETS_GO
#define LETS_GO false
#else
#define LETS_GO true
#endif
#ifdef NO_GOES_PAST
#define GOES_PAST false
#else
#define GOES_PAST true
#endif
#ifdef NO_TELLING_ENDS
#define TELLING_ENDS false
#else
#define TELLING_ENDS true
#endif
#ifdef NO_BECOMES_FAILOVER
#define BECOMES_FAILOVER false
#else
#define BECOMES_FAILOVER true
#endif
#ifdef NO_MEANS_ONCE
#define MEANS_ONCE false
#else
#define MEANS_ONCE true
#endif
#ifdef NO_ROLLS_BACK
#define ROLLS_BACK false
#else
#define ROLLS_BACK true
#endif

/* A promise is asserted through a variable of its name, which the verifier then prints. */
#define HOLDS(promise, condition) promise = (condition); assert(promise); promise = true
