/*
 * Leases and Terms: processes that pause, die and are cut off, a store that is away, fails over with its last writes lost, or
 * comes back empty, and receivers that keep the highest Term (ADR 0004, 0021, 0022).
 *
 * What is modelled, and where it is in the code:
 *   acquire, renew    ACQUIRE and RENEW                            packages/coordination/src/redis/scripts.ts
 *   settle, careful   settleMs, and how long a store was found     packages/coordination/src/settle.ts, redis/leases.ts
 *   act               LeaseHolder.hold and RenewedLease            packages/node-kit/src/lease.ts
 *   receive           TermMemory.accept                            sfu-node/src/terms.ts
 *   stale             RoomNodes.ask: STALE_TERM gives the Room up  signaling/src/room-nodes.ts
 *
 * Time goes in thirds of a Lease, on the store's clock. A process does in each what its timers would do, unless it is paused
 * (SIGSTOP, a garbage collection), or slow: SLOWS timers may come a third late, which stands for clocks that differ. An effect that
 * was sent under a Term arrives whenever it likes, also long after its sender has lost the Room or resumed.
 *
 * Assumed, and nowhere else needed: a failover takes longer than the clocks of the two servers differ (ADR 0022). Without it
 * a Term can be given twice: CLOCK_BACK shows it.
 *
 * Faults end some time before the end. From the last one on the Room must have one owner within what is left of the run.
 *
 * Mutations (each must be found): NO_TERM_CHECK, TERM_COUNTS, CLOCK_BACK, NO_SETTLE, SAME_NAME, RENEW_ALWAYS, NEVER_EXPIRES
 */
#ifndef PROCESSES
#define PROCESSES 2
#endif
#ifndef FAULTS
#define FAULTS 2
#endif
#ifndef SLOWS
#define SLOWS 1
#endif
#define RECEIVERS 1
#define TTL 3
/* A third of a Lease's time, and the second that it takes to find the store again. */
#define SETTLE 2
#define FAULTS_UNTIL 4
/* Expiry, settling, one who comes a third late, and one who must learn that it lost. */
#define CALM 9
#define END (FAULTS_UNTIL + CALM)
#define TERMS 24
#define NOBODY 0

/* The store: a record, and the copy that a failover goes on with. */
byte owner, term, left;
bool known;
byte copyOwner, copyTerm, copyLeft;
bool copyKnown;
byte clock = 1;
bool away;
/* Thirds for which a store that has forgotten still gives nothing away. */
byte forgot;

/* Processes. A name is one life of the ownership; it is never used again. */
byte name[PROCESSES];
bool believes[PROCESSES];
byte mine[PROCESSES];
bool paused[PROCESSES];
bool cut[PROCESSES];
bool acted[PROCESSES];
/* Thirds for which a process that found the store again waits for former owners. */
byte careful[PROCESSES];
/* Did not renew in time through no fault of the store. */
bool late[PROCESSES];
byte names;
/* Who really is who: a life of the ownership, as seen from outside. */
byte life[PROCESSES];
byte lives;

/* Effects under way. */
byte sent;
byte sentTerm[2];
byte sentLife[2];
byte sentBy[2];

/* Receivers. */
byte highest[RECEIVERS];
byte taken[TERMS];
byte highestTaken[RECEIVERS];

byte faults, slows;
byte p, r;
bool granted;

inline newName(who) {
  names++;
  name[who] = names
}

inline lose(who) {
  believes[who] = false;
  mine[who] = 0;
  lives++;
  life[who] = lives;
#ifndef SAME_NAME
  newName(who)
#endif
}

/* What the last writes were, as far as the copy has them. */
inline replicate() {
  copyOwner = owner;
  copyTerm = term;
  copyLeft = left;
  copyKnown = known
}

inline acquire(who) {
  granted = false;
  if
  :: left > 0 && owner != name[who] -> skip
  :: left > 0 && owner == name[who] -> granted = true
#ifdef NEVER_EXPIRES
  :: left == 0 && known -> skip
#endif
#ifdef NO_SETTLE
  :: left == 0 ->
#else
  :: left == 0 && (careful[who] > 0 || (!known && forgot > 0)) -> skip
  :: left == 0 && careful[who] == 0 && (known || forgot == 0) ->
#endif
#ifdef TERM_COUNTS
    term = term + 1;
#else
    term = (term + 1 > clock -> term + 1 : clock);
#endif
    granted = true
  fi;
  if
  :: granted ->
    /* Who is there, reaches the store and comes in time keeps its Room, whatever the store forgot. */
    for (r : 0 .. (PROCESSES - 1)) {
      assert(r == who || !believes[r] || paused[r] || cut[r] || late[r])
    }
    owner = name[who];
    known = true;
    left = TTL;
    believes[who] = true;
    mine[who] = term;
    late[who] = false
  :: else -> skip
  fi
}

inline renew(who) {
  if
#ifndef RENEW_ALWAYS
  :: term > mine[who] -> lose(who)
  :: term == mine[who] && owner != name[who] -> lose(who)
  :: term < mine[who] || (term == mine[who] && owner == name[who]) ->
#else
  :: true ->
#endif
    owner = name[who];
    term = mine[who];
    known = true;
    left = TTL;
    late[who] = false
  fi
}

inline act(who) {
  acted[who] = true;
  if
  :: away || cut[who] -> skip
  :: !away && !cut[who] && believes[who] -> renew(who)
  :: !away && !cut[who] && !believes[who] -> acquire(who)
  fi
}

inline receive(at) {
  if
#ifdef NO_TERM_CHECK
  :: false -> skip
#else
  :: sentTerm[at] < highest[0] ->
    /* STALE_TERM, if its sender is still of that life. */
    if
    :: believes[sentBy[at]] && mine[sentBy[at]] == sentTerm[at] -> lose(sentBy[at])
    :: else -> skip
    fi
#endif
  :: else ->
    highest[0] = sentTerm[at];
    /* Never the effects of two owners in one Term. */
    assert(taken[sentTerm[at]] == NOBODY || taken[sentTerm[at]] == sentLife[at]);
    taken[sentTerm[at]] = sentLife[at];
    /* And never one that is older than what was taken. */
    assert(sentTerm[at] >= highestTaken[0]);
    highestTaken[0] = sentTerm[at]
  fi;
  /* The other one moves up. */
  if
  :: at == 0 -> sentTerm[0] = sentTerm[1]; sentLife[0] = sentLife[1]; sentBy[0] = sentBy[1]
  :: else -> skip
  fi;
  sentTerm[1] = 0; sentLife[1] = 0; sentBy[1] = 0;
  sent--
}

inline found() {
  away = false;
  for (r : 0 .. (PROCESSES - 1)) {
    careful[r] = SETTLE
  }
}

inline tick() {
  clock++;
  if
  :: left > 0 -> left--
  :: else -> skip
  fi;
  if
  :: copyLeft > 0 -> copyLeft--
  :: else -> skip
  fi;
  if
  :: forgot > 0 -> forgot--
  :: else -> skip
  fi;
  for (r : 0 .. (PROCESSES - 1)) {
    if
    :: careful[r] > 0 && !away && !cut[r] -> careful[r]--
    :: else -> skip
    fi;
    if
    :: !acted[r] -> late[r] = true
    :: else -> skip
    fi;
    acted[r] = paused[r]
  }
}

#define idle(who) (acted[who] || paused[who])
#define may (faults < FAULTS && clock < FAULTS_UNTIL)
#define sole ((believes[0] -> 1 : 0) + (believes[1] -> 1 : 0))
#define CHOICES(who) \
  :: !idle(who) -> p = who; step = Act \
  :: !idle(who) && slows < SLOWS && clock < FAULTS_UNTIL -> p = who; step = Slow \
  :: believes[who] && !paused[who] && sent < 2 && clock < END -> p = who; step = Send \
  :: may && !paused[who] -> p = who; step = Pause \
  :: paused[who] -> p = who; step = Resume \
  :: may -> p = who; step = Die \
  :: may && !cut[who] -> p = who; step = Cut \
  :: cut[who] -> p = who; step = Heal

mtype = { Act, Slow, Send, Receive, Pause, Resume, Die, Cut, Heal, Away, Back, FailOver, Forget, Copy, Tick };
mtype step;

active proctype world() {
  atomic { newName(0); newName(1); life[0] = 1; life[1] = 2; lives = 2 }
  do
  :: atomic {
      clock < END ->
      if
      CHOICES(0)
      CHOICES(1)
      :: sent > 0 -> p = 0; step = Receive
      :: sent > 1 -> p = 1; step = Receive
      :: may && !away -> step = Away
      :: away -> step = Back
      :: may && !away -> step = FailOver
      :: may && !away -> step = Forget
      :: may && !away && (copyOwner != owner || copyTerm != term || copyKnown != known) -> step = Copy
      :: idle(0) && idle(1) && (clock < FAULTS_UNTIL || (!paused[0] && !paused[1] && !cut[0] && !cut[1] && !away)) -> step = Tick
      fi;
      if
      :: step == Act -> act(p)
      :: step == Slow -> slows++; acted[p] = true; late[p] = true
      :: step == Send -> sentTerm[sent] = mine[p]; sentLife[sent] = life[p]; sentBy[sent] = p; sent++
      :: step == Receive -> receive(p)
      :: step == Pause -> faults++; paused[p] = true
      :: step == Resume -> paused[p] = false; late[p] = true; acted[p] = false
      :: step == Die -> faults++; lose(p); acted[p] = false; careful[p] = SETTLE
      :: step == Cut -> faults++; cut[p] = true; late[p] = true
      :: step == Heal -> cut[p] = false; careful[p] = SETTLE; late[p] = true
      :: step == Away -> faults++; away = true
      :: step == Back -> found()
      :: step == FailOver ->
        faults++;
        owner = copyOwner; term = copyTerm; left = copyLeft; known = copyKnown;
#ifdef CLOCK_BACK
        clock = 1;
#else
        clock++;
#endif
        found()
      :: step == Forget ->
        faults++;
        owner = NOBODY; term = 0; left = 0; known = false;
        forgot = SETTLE;
        replicate();
#ifdef CLOCK_BACK
        clock = 1;
#else
        clock++;
#endif
        found()
      :: step == Copy -> replicate()
      :: step == Tick -> tick()
      fi;
      /* While nothing goes wrong there is one owner at most. */
      assert(faults > 0 || slows > 0 || sole <= 1);
      p = 0;
      r = 0;
      granted = false
    }
  :: atomic { clock >= END -> break }
  od;
  /* The Room has an owner again, one, and the store knows. */
  assert(sole == 1 && left > 0 && ((believes[0] && owner == name[0] && term == mine[0]) || (believes[1] && owner == name[1] && term == mine[1])))
}
