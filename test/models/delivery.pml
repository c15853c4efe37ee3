/*
 * The delivery service as it is, with members who come, go, are slow, fall silent or lose a message: do all who are there
 * end in one Epoch? (liveness; safety of tickets and races beside it)
 *
 * What is modelled, and where it is in the code:
 *   enter, goAway, rejoin, keepTurn, give, letPass    packages/delivery/src/turns.ts
 *   create, join, commitOfMember                      packages/delivery/src/commits.ts
 *   keepRemoval, passOver, next, isWaiting                       packages/delivery/src/removal.ts
 *   keepDoor, askForOffers, keepAdmission, nextEntry, failAdmission   packages/delivery/src/door.ts
 *   keepGoing, dissolve                               packages/delivery/src/delivery.ts
 *   Peer                                              Membership (packages/client/src/workers/membership.ts)
 *
 * The service says what is so, and each connection keeps its order; between connections there is none, and any message may take
 * any time. Faults, each with a budget so that every run ends: a Peer goes (leaves, crashes, is kicked: the same for the group), an event is lost
 * on its way to a member, patience ends while an answer is under way. When nothing else can happen, time passes: who is waited
 * for too long is passed over; and when nobody is waited for either, members renew their keys, as they do every now and then, which
 * is how somebody finds out who missed the last Commit. When even that is over, all who are there must be in one Epoch.
 *
 * A cycle would be a group that is busy for ever: there must be none.
 *
 * With CROWD_MIN=1 people are let in by a member too (ADR 0040), who may leave somebody out, or make a Welcome that opens nothing
 * (WRONGS of these). Of three Peers one waits while another has its turn: with two it would take four Peers, as in the long mode.
 *
 * Mutations (each must be found): NO_STANDBY, NO_PATIENCE, NO_REJOIN, TWO_WINNERS, TICKET_KEPT; with a crowd NO_DOOR_PATIENCE,
 * NO_ENTER_AGAIN, ANY_ADMISSION
 */
#ifndef PEERS
#define PEERS 3
#endif
#ifndef LEAVES
#define LEAVES 1
#endif
#ifndef LOSSES
#define LOSSES 1
#endif
#ifndef HURRIES
#define HURRIES 1
#endif
#ifndef SILENT
#define SILENT 0
#endif
/* Of those who wait; none is ever let in by a member where it is more than there are. */
#ifndef CROWD_MIN
#define CROWD_MIN 9
#endif
#ifndef WRONGS
#define WRONGS 0
#endif
#define ADMISSIONS_FAILED_MAX 1
/* COMMITTER_ROUNDS_MAX, TICKET_TRIES_MAX and ENTRIES_MAX, smaller: what is behind them is reached sooner. */
#define ROUNDS_MAX 2
#define TRIES_MAX 2
#define ENTRIES_MAX 3
#define EPOCHS_MAX 16
#define NONE 15
/* In place of a ticket: an admission. */
#define ADMITS 14
#define BIT(p) (1 << (p))

mtype = { Create, Join, Commit, Remove, Taken, Refused, Rejoin, Offer, Add, Welcome };

/* To a member: what, group, Epoch, whom. */
chan toPeer[PEERS] = [6] of { mtype, byte, byte, byte };
/* To the service: what, group, Epoch, ticket (or NONE), whom. One request at a time, as Membership does. */
chan toServer[PEERS] = [3] of { mtype, byte, byte, byte, byte };

/* The Room's view. */
byte present;
bool entered[PEERS];
bool gone[PEERS];
byte evicted;
byte failed;

/* DeliveryState */
byte group;
byte epoch;
bool hasGroup;
byte members;
byte leaf[PEERS];
byte goneOnes;
byte rejoining;
chan queue = [PEERS] of { byte };
byte turn = NONE;
byte ticket;
byte turnGroup;
byte turnEpoch;
bool turnCreates;
byte failures[PEERS];
byte committer = NONE;
/* Somebody went, and others who go with them are waited for (LEAVE_WINDOW_MS). */
bool waiting;
byte asked;
byte tries;
/* The door: who was asked for keys, who offered some, who lets whom in. */
byte askedFor;
byte offers;
byte admitter = NONE;
byte admits;
byte admissionsFailed;

/* Members. */
bool member[PEERS];
byte atGroup[PEERS];
byte atEpoch[PEERS];
byte entries[PEERS];
bool awaits[PEERS];

byte lost, hurried, left, renewed, wrongs;
/* One of SILENT, once in the group, hears and says nothing any more; its connection stays. */
byte silentOnes;
/* Whose Commit made which Epoch of the present group. */
byte maker[EPOCHS_MAX];
byte q, best, wanted, inStepOnes, committerOf;
bool again, mayPass;

#define inStep (members & ~goneOnes & ~rejoining)
#define outgoing (members & (goneOnes | rejoining))
#define isPresent(p) (!(goneOnes & BIT(p)) && ((members & BIT(p)) || turn == (p) || queue ?? [eval(p)]))

/* Who reads nothing any more loses what does not fit. */
inline tell(to, what, a, b, c) {
  if
  :: len(toPeer[to]) == 6 -> skip
  :: else -> toPeer[to] ! what, a, b, c
  fi
}

inline takeOut(from, p) {
  if
  :: from ?? [eval(p)] -> from ?? eval(p)
  :: else -> skip
  fi
}

inline goAway(p) {
  if
  :: isPresent(p) ->
    failures[p] = 0;
    takeOut(queue, p);
    askedFor = askedFor & ~BIT(p);
    offers = offers & ~BIT(p);
    rejoining = rejoining & ~BIT(p);
    if
    :: turn == p -> turn = NONE
    :: else -> skip
    fi;
    if
    :: members & BIT(p) -> goneOnes = goneOnes | BIT(p)
    :: else -> skip
    fi
  :: else -> skip
  fi
}

/* The Peer's connection ends, and all that was under way on it. */
inline hangUp(p) {
  present = present & ~BIT(p);
  gone[p] = true;
  member[p] = false;
  awaits[p] = false;
  do
  :: len(toPeer[p]) > 0 -> toPeer[p] ? _, _, _, _
  :: else -> break
  od;
  do
  :: len(toServer[p]) > 0 -> toServer[p] ? _, _, _, _, _
  :: else -> break
  od
}

inline evict(p) {
  evicted = evicted | BIT(p);
  goAway(p);
  hangUp(p)
}

/* The member in step with the next higher leaf, or the lowest: its number in `best`. */
inline nextCommitter(after) {
  best = NONE;
  q = 0;
  do
  :: q < PEERS ->
    if
    :: (inStep & BIT(q)) && after != NONE && leaf[q] > leaf[after] && (best == NONE || leaf[q] < leaf[best]) -> best = q
    :: else -> skip
    fi;
    q++
  :: else -> break
  od;
  if
  :: best == NONE ->
    q = 0;
    do
    :: q < PEERS ->
      if
      :: (inStep & BIT(q)) && (best == NONE || leaf[q] < leaf[best]) -> best = q
      :: else -> skip
      fi;
      q++
    :: else -> break
    od
  :: else -> skip
  fi
}

inline ask(whom) {
  committer = whom;
  asked = outgoing;
  tell(whom, Remove, group, epoch, asked)
}

inline passOver() {
  tries++;
  nextCommitter(committer);
  if
#ifdef NO_PATIENCE
  :: true -> ask(best)
#else
  :: tries < ROUNDS_MAX * (((inStep >> 0) & 1) + ((inStep >> 1) & 1) + ((inStep >> 2) & 1) + ((inStep >> 3) & 1)) ->
#ifdef NO_STANDBY
    ask(committer)
#else
    ask(best)
#endif
  :: else ->
    /* Every member was asked before somebody must go: a silent one holds nobody up, and nobody who answers goes for it. */
    assert(lost > 0 || !(inStep & ~silentOnes));
    wanted = committer;
    evict(wanted);
    again = true
#endif
  fi
}

inline keepRemoval(patienceOver) {
  if
  :: committer == NONE -> tries = 0; nextCommitter(NONE); ask(best)
  :: committer != NONE && !(inStep & BIT(committer)) -> nextCommitter(committer); ask(best)
  :: committer != NONE && (inStep & BIT(committer)) && patienceOver -> passOver()
  :: committer != NONE && (inStep & BIT(committer)) && !patienceOver ->
    if
    :: outgoing != asked -> ask(committer)
    :: else -> skip
    fi
  fi
}

inline give(p) {
  turn = p;
  offers = offers & ~BIT(p);
  ticket++;
  turnCreates = !hasGroup;
  turnGroup = group;
  turnEpoch = epoch;
  if
  :: hasGroup -> tell(p, Join, group, epoch, ticket)
  :: else -> tell(p, Create, group, epoch, ticket)
  fi
}

inline keepTurn(patienceOver) {
  if
  :: turn == NONE && len(queue) > 0 -> queue ? best; give(best)
  :: turn == NONE && len(queue) == 0 -> skip
  :: turn != NONE && (turnCreates == hasGroup || turnGroup != group || turnEpoch != epoch) ->
#ifdef TICKET_KEPT
    turnCreates = !hasGroup; turnGroup = group; turnEpoch = epoch
#else
    give(turn)
#endif
  :: turn != NONE && turnCreates != hasGroup && turnGroup == group && turnEpoch == epoch && patienceOver ->
    wanted = turn;
    failures[wanted]++;
    if
    :: failures[wanted] >= TRIES_MAX -> evict(wanted)
    :: else -> turn = NONE; queue ! wanted
    fi;
    again = true
  :: turn != NONE && turnCreates != hasGroup && turnGroup == group && turnEpoch == epoch && !patienceOver -> skip
  fi
}

inline closeDoor() {
  admitter = NONE;
  admits = 0
}

/* The first of the queue who can come in together: `wanted`, and how many they are: `best`. */
inline admissible() {
  wanted = 0;
  best = 0;
  inStepOnes = len(queue);
  again = admissionsFailed < ADMISSIONS_FAILED_MAX && hasGroup && members != 0;
  for (q : 1 .. inStepOnes) {
    queue ? committerOf;
    queue ! committerOf;
    if
    :: again && (offers & BIT(committerOf)) -> wanted = wanted | BIT(committerOf); best++
    :: else -> again = false
    fi
  }
  /* A tree with gaps: its highest leaf is not the number of its members less one. */
  committerOf = NONE;
  q = 0;
  do
  :: q < PEERS ->
    if
    :: (members & BIT(q)) && (committerOf == NONE || leaf[q] > leaf[committerOf]) -> committerOf = q
    :: else -> skip
    fi;
    q++
  :: else -> break
  od;
  if
  :: committerOf != NONE && leaf[committerOf] + 1 != ((members >> 0) & 1) + ((members >> 1) & 1) + ((members >> 2) & 1) + ((members >> 3) & 1) -> best = 0
  :: else -> skip
  fi;
  again = false
}

inline askAdmitter(whom) {
  admits = whom;
  tell(admitter, Add, group, epoch, admits)
}

inline nextEntry(turnOver) {
  admissible();
  if
  :: turn == NONE && best >= CROWD_MIN -> admitter = committerOf; askAdmitter(wanted)
  :: else -> keepTurn(turnOver)
  fi
}

/* The first of them goes by ticket. */
inline failAdmission() {
  best = NONE;
  for (q : 1 .. len(queue)) {
    queue ? committerOf;
    queue ! committerOf;
    if
    :: best == NONE && (admits & BIT(committerOf)) -> best = committerOf
    :: else -> skip
    fi
  }
  offers = offers & ~BIT(best);
  admissionsFailed++;
  closeDoor()
}

/* Those of `admits` who still wait: `wanted`. */
inline waitingOnes() {
  wanted = 0;
  q = 0;
  do
  :: q < PEERS ->
    if
    :: (admits & BIT(q)) && queue ?? [eval(q)] -> wanted = wanted | BIT(q)
    :: else -> skip
    fi;
    q++
  :: else -> break
  od
}

inline keepAdmission(patienceOver) {
  if
  :: admitter == NONE -> nextEntry(patienceOver)
#ifdef NO_DOOR_PATIENCE
  :: admitter != NONE && patienceOver -> askAdmitter(admits)
#else
  :: admitter != NONE && patienceOver -> failAdmission(); nextEntry(false)
#endif
  :: admitter != NONE && !patienceOver ->
    waitingOnes();
    if
    :: wanted == admits -> skip
    :: wanted != admits && wanted != 0 -> askAdmitter(wanted)
    :: wanted == 0 -> closeDoor(); nextEntry(false)
    fi
  fi
}

inline askForOffers() {
  if
  :: len(queue) >= CROWD_MIN && hasGroup && admissionsFailed < ADMISSIONS_FAILED_MAX ->
    for (q : 0 .. (PEERS - 1)) {
      if
      :: queue ?? [eval(q)] && !(askedFor & BIT(q)) -> askedFor = askedFor | BIT(q); tell(q, Offer, 0, 0, 0)
      :: else -> skip
      fi
    }
  :: else -> skip
  fi
}

inline keepDoor(patienceOver) {
  if
  :: len(queue) == 0 -> admissionsFailed = 0
  :: else -> skip
  fi;
  mayPass = patienceOver;
  keepAdmission(mayPass);
  askForOffers()
}

/* After each event. `patienceOver`: whoever is waited for has been waited for long enough. */
inline keepGoing(patienceOver) {
  again = true;
  best = 0;
  if
  :: patienceOver -> inStepOnes = 1
  :: else -> inStepOnes = 0
  fi;
  do
  :: again ->
    again = false;
    if
    :: members != 0 && inStep == 0 ->
      /* dissolve */
      q = 0;
      do
      :: q < PEERS ->
        if
        :: rejoining & BIT(q) -> queue ! q
        :: else -> skip
        fi;
        q++
      :: else -> break
      od;
      members = 0; goneOnes = 0; rejoining = 0; committer = NONE; waiting = false; tries = 0; asked = 0;
      askedFor = 0; offers = 0; admissionsFailed = 0; closeDoor();
      group++; epoch = 0; hasGroup = false;
      again = true
    :: members == 0 || inStep != 0 ->
      if
      :: outgoing == 0 -> committer = NONE; waiting = false; asked = 0; tries = 0; keepDoor(inStepOnes)
      :: outgoing != 0 && waiting && !inStepOnes && rejoining == 0 && committer == NONE -> closeDoor()
      :: else -> waiting = false; closeDoor(); keepRemoval(inStepOnes)
      fi;
      inStepOnes = 0
    fi
  :: else -> break
  od;
  q = 0; best = 0; wanted = 0; inStepOnes = 0; committerOf = 0; mayPass = false
}

inline entrantIn(p) {
  turn = NONE;
  failures[p] = 0;
  /* The leftmost blank leaf (RFC 9420 section 7.7). */
  best = 0;
  do
  :: true ->
    again = false;
    q = 0;
    do
    :: q < PEERS ->
      if
      :: (members & BIT(q)) && leaf[q] == best -> again = true
      :: else -> skip
      fi;
      q++
    :: else -> break
    od;
    if
    :: again -> best++
    :: else -> break
    fi
  od;
  members = members | BIT(p);
  leaf[p] = best
}

/* To every member in step but the sender. */
inline announce(p, whom) {
  q = 0;
  do
  :: q < PEERS ->
    if
    :: (inStep & BIT(q)) && q != p -> tell(q, Commit, group, epoch, whom)
    :: else -> skip
    fi;
    q++
  :: else -> break
  od
}

/* Whom it left out keeps its place in the queue, and enters by ticket. */
inline admit(p, whom) {
  offers = offers & ~admits;
  announce(p, 0);
  epoch++;
  maker[epoch] = p;
  tell(p, Taken, group, epoch, 0);
  for (inStepOnes : 0 .. (PEERS - 1)) {
    if
    :: whom & BIT(inStepOnes) ->
      entrantIn(inStepOnes);
      takeOut(queue, inStepOnes);
      tell(inStepOnes, Welcome, group, epoch, 0)
    :: else -> skip
    fi
  }
  admissionsFailed = 0;
  closeDoor()
}

inline commit(p, g, e, t, whom) {
  if
  :: !isPresent(p) -> tell(p, Refused, 0, 0, 0)
  :: isPresent(p) && t == ADMITS ->
    if
#ifdef ANY_ADMISSION
    :: g != group || e != epoch || whom == 0 -> tell(p, Refused, 0, 0, 0)
#else
    :: g != group || e != epoch || admitter != p || (whom & ~admits) || outgoing != 0 -> tell(p, Refused, 0, 0, 0)
#endif
    :: else -> admit(p, whom)
    fi
  :: isPresent(p) && t != NONE && t != ADMITS ->
    if
    :: turn != p || t != ticket -> tell(p, Refused, 0, 0, 0)
    :: turn == p && t == ticket && !hasGroup ->
      hasGroup = true;
      epoch = 0;
      maker[0] = p;
      tell(p, Taken, group, 0, 0);
      entrantIn(p)
    :: turn == p && t == ticket && hasGroup ->
      if
      :: g != group || e != epoch || committer != NONE -> tell(p, Refused, 0, 0, 0)
      :: else ->
        announce(p, 0);
        epoch++;
        maker[epoch] = p;
        tell(p, Taken, group, epoch, 0);
        entrantIn(p)
      fi
    fi
  :: isPresent(p) && t == NONE ->
    if
#ifdef TWO_WINNERS
    :: !(inStep & BIT(p)) || g != group -> tell(p, Refused, 0, 0, 0)
    :: (inStep & BIT(p)) && g == group && e != epoch -> tell(p, Taken, group, e + 1, 0)
#else
    :: !(inStep & BIT(p)) || g != group || e != epoch -> tell(p, Refused, 0, 0, 0)
#endif
    :: (inStep & BIT(p)) && g == group && e == epoch ->
      if
      :: (whom & ~outgoing) != 0 || (whom == 0 && (outgoing != 0 || turn != NONE || admitter != NONE)) -> tell(p, Refused, 0, 0, 0)
      :: else ->
        members = members & ~whom;
        goneOnes = goneOnes & ~whom;
        announce(p, whom);
        epoch++;
        maker[epoch] = p;
        q = 0;
        do
        :: q < PEERS ->
          if
          :: rejoining & whom & BIT(q) -> queue ! q
          :: else -> skip
          fi;
          q++
        :: else -> break
        od;
        rejoining = rejoining & ~whom;
        committer = NONE;
        tell(p, Taken, group, epoch, whom)
      fi
    fi
  fi
}

/* One request of one Peer. */
inline serve(p) {
  if
  :: toServer[p] ? [Commit, _, _, _, _] ->
    toServer[p] ? _, g, e, t, whom;
    commit(p, g, e, t, whom)
  :: toServer[p] ? [Offer, _, _, _, _] ->
    toServer[p] ? _, g, e, t, whom;
    if
    :: queue ?? [eval(p)] && (askedFor & BIT(p)) -> offers = offers | BIT(p)
    :: else -> skip
    fi
  :: toServer[p] ? [Rejoin, _, _, _, _] ->
    toServer[p] ? _, g, e, t, whom;
    if
    :: isPresent(p) && (members & BIT(p)) -> rejoining = rejoining | BIT(p)
    :: else -> skip
    fi
  fi;
  g = 0; e = 0; t = 0; whom = 0
}

inline resync(p) {
  member[p] = false;
  entries[p]++;
  if
  :: entries[p] > ENTRIES_MAX -> failed = failed | BIT(p)
#ifdef NO_REJOIN
  :: else -> skip
#else
  :: else -> toServer[p] ! Rejoin, 0, 0, 0, 0
#endif
  fi
}

inline enterEpoch(p, g, e) {
  /* Who is told that its Commit won made that Epoch: a Commit that lost is not applied by its maker either. */
  assert(g != group || (e <= epoch && maker[e] == p));
  member[p] = true;
  atGroup[p] = g;
  atEpoch[p] = e;
  entries[p] = 0
}

/* One thing that the Peer was told. While an answer is awaited, nothing but it is taken. */
inline hear(p) {
  if
  :: awaits[p] && toPeer[p] ?? [Taken, _, _, _] ->
    toPeer[p] ?? Taken, g, e, whom;
    awaits[p] = false;
    enterEpoch(p, g, e)
  :: awaits[p] && toPeer[p] ?? [Refused, _, _, _] ->
    toPeer[p] ?? Refused, g, e, whom;
    awaits[p] = false;
    if
    :: !removes[p] -> resync(p)
    :: else -> skip
    fi
  :: !awaits[p] && toPeer[p] ? [Create, _, _, _] ->
    toPeer[p] ? _, g, e, whom;
    awaits[p] = true; removes[p] = false;
    toServer[p] ! Commit, g, e, whom, 0
  :: !awaits[p] && toPeer[p] ? [Join, _, _, _] ->
    toPeer[p] ? _, g, e, whom;
    awaits[p] = true; removes[p] = false;
    toServer[p] ! Commit, g, e, whom, 0
  :: !awaits[p] && toPeer[p] ? [Commit, _, _, _] ->
    toPeer[p] ? _, g, e, whom;
    if
    :: !member[p] || (atGroup[p] == g && e < atEpoch[p]) -> skip
    :: member[p] && atGroup[p] == g && e == atEpoch[p] && !(whom & BIT(p)) -> atEpoch[p] = e + 1; entries[p] = 0
    :: else -> resync(p)
    fi
  :: !awaits[p] && toPeer[p] ? [Offer, _, _, _] ->
    toPeer[p] ? _, g, e, whom;
    if
    :: member[p] -> skip
    :: else -> toServer[p] ! Offer, 0, 0, 0, 0
    fi
  :: !awaits[p] && toPeer[p] ? [Add, _, _, _] ->
    toPeer[p] ? _, g, e, whom;
    if
    :: member[p] && atGroup[p] == g && atEpoch[p] == e ->
      awaits[p] = true; removes[p] = true;
      if
      :: true -> skip
      /* It leaves the first of them out. */
      :: wrongs < WRONGS -> wrongs++; whom = whom & (whom - 1)
      fi;
      if
      :: whom == 0 -> awaits[p] = false
      :: else -> toServer[p] ! Commit, g, e, ADMITS, whom
      fi
    :: else -> skip
    fi
  :: !awaits[p] && toPeer[p] ? [Welcome, _, _, _] ->
    toPeer[p] ? _, g, e, whom;
    if
    :: member[p] -> skip
    :: !member[p] -> member[p] = true; atGroup[p] = g; atEpoch[p] = e; entries[p] = 0
    /* It opens nothing. */
    :: !member[p] && wrongs < WRONGS -> wrongs++; resync(p)
    fi
  :: !awaits[p] && toPeer[p] ? [Remove, _, _, _] ->
    toPeer[p] ? _, g, e, whom;
    if
    :: member[p] && atGroup[p] == g && atEpoch[p] == e ->
      awaits[p] = true; removes[p] = true;
      toServer[p] ! Commit, g, e, NONE, whom
    :: else -> skip
    fi
  fi;
  g = 0; e = 0; t = 0; whom = 0
}

bool removes[PEERS];
byte g, e, t, whom, p;

#define hears(p) (!(silentOnes & BIT(p)) && ((awaits[p] && (toPeer[p] ?? [Taken, _, _, _] || toPeer[p] ?? [Refused, _, _, _])) || (!awaits[p] && len(toPeer[p]) > 0)))
#define inSync(p) (member[p] && atGroup[p] == group && atEpoch[p] == epoch)
#define live (present & ~failed)

#define mayLose(p) (lost < LOSSES && (toPeer[p] ? [Commit, _, _, _] || toPeer[p] ? [Remove, _, _, _] || toPeer[p] ? [Join, _, _, _] || toPeer[p] ? [Create, _, _, _] || toPeer[p] ? [Offer, _, _, _] || toPeer[p] ? [Add, _, _, _] || toPeer[p] ? [Welcome, _, _, _]))
#define mayRenew(p) (inSync(p) && (inStep & BIT(p)) && !(renewed & BIT(p)) && !(silentOnes & BIT(p)))

/* A place that did not come is asked for again (ENTER_AGAIN_MS): whose Welcome was lost is a member to all but itself. */
#if defined(NO_ENTER_AGAIN) || defined(NO_REJOIN)
#define mayEnterAgain(p) false
#else
#define mayEnterAgain(p) ((live & BIT(p)) && !member[p] && !awaits[p] && !(silentOnes & BIT(p)) && (members & BIT(p)) && !(rejoining & BIT(p)))
#endif
#define quiet (committer == NONE && turn == NONE && admitter == NONE && !waiting)

mtype = { Enter, Serve, Hear, Leave, Silence, Lose, Hurry, Wait, Again, Renew, Rest };
mtype step;

#define CHOICES(who) \
  :: !entered[who] -> p = who; step = Enter \
  :: len(toServer[who]) > 0 -> p = who; step = Serve \
  :: hears(who) -> p = who; step = Hear \
  :: (present & BIT(who)) && left < LEAVES -> p = who; step = Leave \
  :: (SILENT & BIT(who)) && silentOnes == 0 && member[who] && !awaits[who] -> p = who; step = Silence \
  :: mayLose(who) -> p = who; step = Lose

active proctype world() {
  do
  :: atomic {
      if
      CHOICES(0)
      CHOICES(1)
      CHOICES(2)
#if PEERS > 3
      CHOICES(3)
#endif
      :: hurried < HURRIES && !quiet -> step = Hurry
      :: timeout ->
        if
        :: !quiet -> step = Wait
        :: quiet && mayEnterAgain(0) -> p = 0; step = Again
        :: quiet && mayEnterAgain(1) -> p = 1; step = Again
        :: quiet && mayEnterAgain(2) -> p = 2; step = Again
#if PEERS > 3
        :: quiet && mayEnterAgain(3) -> p = 3; step = Again
        :: quiet && mayRenew(3) -> p = 3; step = Renew
#endif
        :: quiet && mayRenew(0) -> p = 0; step = Renew
        :: quiet && mayRenew(1) -> p = 1; step = Renew
        :: quiet && mayRenew(2) -> p = 2; step = Renew
        :: else -> step = Rest
        fi
      fi;
      if
      :: step == Enter -> entered[p] = true; present = present | BIT(p); queue ! p
      :: step == Serve -> serve(p)
      :: step == Hear -> hear(p)
      :: step == Leave ->
        left++;
        goAway(p);
        hangUp(p);
        if
        :: committer == NONE && outgoing != 0 -> waiting = true
        /* Thrown out: nobody is waited for. */
        :: committer == NONE && outgoing != 0 -> waiting = false
        :: else -> skip
        fi
      :: step == Silence -> silentOnes = BIT(p)
      :: step == Lose -> lost++; renewed = 0; toPeer[p] ? _, _, _, _
      :: step == Hurry -> hurried++
      :: step == Renew -> renewed = renewed | BIT(p); awaits[p] = true; removes[p] = true; toServer[p] ! Commit, group, epoch, NONE, 0
      :: step == Wait -> skip
      :: step == Again -> toServer[p] ! Rejoin, 0, 0, 0, 0
      :: step == Rest -> break
      fi;
      if
      :: step == Hear || step == Silence || step == Lose || step == Renew || step == Again -> skip
      :: else -> keepGoing(step == Hurry || step == Wait)
      fi;
      p = 0
    }
  od;
  atomic {
    /* Quiet for ever: all who are there are in the one Epoch that there is, and nobody else is. */
    for (p : 0 .. (PEERS - 1)) {
      assert(!(live & BIT(p)) || (silentOnes & BIT(p)) || inSync(p));
      /* Nobody who answers is put out, and nobody gives up, where nothing was lost. */
      assert(!((evicted | failed) & BIT(p)) || lost > 0 || (silentOnes & BIT(p)))
    }
    assert(members == live || failed != 0);
    assert(committer == NONE && turn == NONE && admitter == NONE && len(queue) == 0)
  }
}
