/*
 * Epochs and Commits when the delivery service lies (safety).
 *
 * What is modelled, and where it is in the code:
 *   follow      Membership.#follow and judgeCommit: which Commit a member takes  (client/workers/membership.ts, e2ee/commit-rules.ts)
 *   remove      Membership.#remove: a member removes whomever the server names   (client/workers/membership.ts)
 *   join        Membership.#join: an external Commit on whatever GroupInfo came   (client/workers/membership.ts)
 *   admit       Membership.#letIn: a member adds whoever offered a KeyPackage    (client/workers/membership.ts, e2ee/admission.ts)
 *   welcomed    Membership.#beWelcome: who was added enters the Epoch that its Welcome is of; only one with a path secret is taken
 *   answer      Membership.#accepted: a Commit of ours counts when it was accepted, and is wiped when not
 *   knows       RFC 9420 section 8: a Commit with a path reaches those who had the Epoch before and are still in the tree;
 *               without a path, everybody who had the Epoch before, removed or not
 *
 * The server is the environment: it shows any Commit that was ever made to anybody, in any order, any number of times, or
 * never; accepts and refuses what it likes; hands out any GroupInfo and any Welcome; asks anybody to remove or add anybody. Loss and reordering of
 * the network are thereby in it. DISHONEST is a member who gives the server every key and makes Commits as it likes, also
 * without a path; it may be removed and come back. What nobody can do is sign as another, open what was not sealed to them, or
 * find two histories with one confirmation tag: a Commit applies to the state that it was made on and to no other.
 *
 * A node is an Epoch of one branch: its history, and so its keys and its authenticator, are its number here.
 *
 * Mutations (each must be found): NO_PATH_RULE, NO_CONFIRMATION, APPLY_LOSER, IGNORE_OTHER_SIDE, ADDS_UNSEEN
 */
#ifndef NODES
#define NODES 6
#endif
#ifndef HONEST
#define HONEST 3
#endif
#define DISHONEST HONEST
#define PEERS (HONEST + 1)
#define NONE 15
#define ALL ((1 << PEERS) - 1)
#define BIT(p) (1 << (p))
#define free(who) (standing[who] == MEMBER && pending[who] == NONE)

#define OUT 0
#define WAITING 1
#define MEMBER 2

typedef Node {
  byte parent;
  byte epoch;
  byte members;
  byte removes;
  byte adds;
  byte maker;
  bool path;
  bool entry;
  /* Everybody who can work out the keys, were they to hear all that was ever sent. */
  byte knows
};

Node node[NODES];
byte made;

byte standing[PEERS];
byte at[PEERS];
/* A Commit of one's own that was not answered yet. */
byte pending[PEERS];
/* Whom the page shows: followed Commit by Commit, as rosterOf does. */
byte shown[PEERS];
/* Commits that the server refused to their maker. */
byte refused;
/* Heard a Commit of another history for the Epoch that it is in; and noticed it. */
byte otherSide;
byte noticed;

/* Choices under way; all 0 between two steps. */
byte p, k, n, chosen, yes;

/* Who is added has the path secret and the Epoch's from its Welcome. */
inline admit(by, on, into, withPath) {
  make(by, on, 0, withPath, false);
  node[made - 1].adds = into;
  node[made - 1].members = node[made - 1].members | into;
  node[made - 1].knows = node[made - 1].knows | into
}

inline make(by, on, out, withPath, enters) {
  node[made].parent = on;
  node[made].epoch = node[on].epoch + 1;
  node[made].removes = out;
  node[made].maker = by;
  node[made].path = withPath;
  node[made].entry = enters;
  node[made].members = (node[on].members & ~(out)) | BIT(by);
  if
  :: withPath -> node[made].knows = (node[on].knows & node[made].members) | BIT(by)
  :: else -> node[made].knows = node[on].knows | BIT(by)
  fi;
  made++
}

/* What must hold of every Epoch that an honest member goes to. */
inline go(who, to, whom) {
  at[who] = to;
  shown[who] = whom;
  standing[who] = MEMBER;
  /* Nobody can open what this member seals but those whom its page shows: above all nobody who was removed. */
  assert((node[to].knows & ~shown[who]) == 0)
}

inline resync(who) {
  standing[who] = WAITING;
  at[who] = NONE
}

inline agree() {
  k = 0;
  do
  :: k < HONEST ->
    n = k + 1;
    do
    :: n < HONEST ->
      /* The same Epoch with the same authenticator: the same members, and so the same keys. */
      assert(!(standing[k] == MEMBER && standing[n] == MEMBER && at[k] == at[n] && shown[k] != shown[n]));
      n++
    :: else -> break
    od;
    /* A Commit that lost is not where its maker is. */
    assert(!(standing[k] == MEMBER && (refused & BIT(at[k])) && node[at[k]].maker == k));
    /* A fork does not go unnoticed by who hears both sides. */
    assert(!(otherSide & BIT(k)) || (noticed & BIT(k)));
    k++
  :: else -> break
  od;
  k = 0
}

/* A Commit comes in. An older one is not looked at; one that does not fit costs the place in the group (resync). */
inline follow(who, what) {
  if
  :: node[node[what].parent].epoch < node[at[who]].epoch -> skip
  :: else ->
    if
    :: node[what].parent != at[who] && node[node[what].parent].epoch == node[at[who]].epoch ->
      otherSide = otherSide | BIT(who)
    :: else -> skip
    fi;
    if
#ifdef NO_CONFIRMATION
    :: node[node[what].parent].epoch != node[at[who]].epoch || node[what].maker == who ->
#else
    :: node[what].parent != at[who] || node[what].maker == who ->
#endif
#ifdef IGNORE_OTHER_SIDE
      skip
#else
      noticed = noticed | BIT(who);
      resync(who)
#endif
#ifndef NO_PATH_RULE
    :: !node[what].path -> noticed = noticed | BIT(who); resync(who)
#endif
    :: else ->
      if
      :: node[what].removes & BIT(who) -> standing[who] = OUT; at[who] = NONE
#ifdef ADDS_UNSEEN
      :: else -> go(who, what, (shown[who] & ~node[what].removes) | BIT(node[what].maker))
#else
      :: else -> go(who, what, (shown[who] & ~node[what].removes) | BIT(node[what].maker) | node[what].adds)
#endif
      fi
    fi
  fi
}

inline answer(who, what) {
  if
  :: yes -> go(who, what, node[what].members)
  :: else ->
    refused = refused | BIT(what);
#ifdef APPLY_LOSER
    go(who, what, node[what].members)
#else
    if
    :: node[what].entry -> resync(who)
    :: else -> skip
    fi
#endif
  fi
}

inline chooseMember() {
  p = 0;
  do
  :: p + 1 < HONEST -> p++
  :: break
  od
}

inline chooseNode() {
  n = 0;
  do
  :: n + 1 < made -> n++
  :: break
  od;
  skip
}

inline chooseSome(from) {
  chosen = 0;
  for (k : 0 .. (PEERS - 1)) {
    if
    :: (from) & BIT(k) -> chosen = chosen | BIT(k)
    :: skip
    fi
  }
  skip
}

inline reset() {
  p = 0;
  k = 0;
  n = 0;
  chosen = 0;
  yes = 0
}

init {
  d_step {
    node[0].parent = NONE;
    node[0].maker = 0;
    node[0].path = true;
    node[0].members = BIT(0) | BIT(1) | BIT(DISHONEST);
    node[0].knows = node[0].members;
    made = 1;
    p = 0;
    do
    :: p < PEERS -> pending[p] = NONE; at[p] = NONE; p++
    :: else -> break
    od;
    standing[0] = MEMBER; at[0] = 0; shown[0] = node[0].members;
    standing[1] = MEMBER; at[1] = 0; shown[1] = node[0].members;
#if HONEST > 2
    standing[2] = WAITING;
#endif
    p = 0
  }
  do
  /* Any Commit, to any member, whenever; one that waits for an answer takes others later. */
  :: atomic {
      chooseMember();
      if
      :: free(p) ->
        k = 1;
        do
        :: k + 1 < made -> k++
        :: k < made -> break
        :: else -> k = 0; break
        od;
        if
        :: k > 0 -> d_step { follow(p, k); agree() }
        :: else -> skip
        fi
      :: else -> skip
      fi;
      reset()
    }
  /* Any member is asked to remove anybody, or renews its keys (nobody chosen). */
  :: atomic {
      made < NODES;
      chooseMember();
      if
      :: free(p) -> chooseSome(shown[p] & ~BIT(p)); d_step { make(p, at[p], chosen, true, false); pending[p] = made - 1 }
      :: else -> skip
      fi;
      reset()
    }
  /* Any member is asked to let in anybody who is not there. */
  :: atomic {
      made < NODES;
      chooseMember();
      if
      :: free(p) ->
        chooseSome(ALL & ~shown[p]);
        if
        :: chosen != 0 -> d_step { admit(p, at[p], chosen, true); pending[p] = made - 1 }
        :: else -> skip
        fi
      :: else -> skip
      fi;
      reset()
    }
  /* Any Welcome, of any Epoch that ever was, to somebody who was added there and waits; its other doings are over. */
  :: atomic {
      chooseMember();
      if
      :: standing[p] == WAITING && pending[p] == NONE ->
        chooseNode();
        if
        :: (node[n].adds & BIT(p)) && node[n].path -> d_step { go(p, n, node[n].members); agree() }
        :: else -> skip
        fi
      :: else -> skip
      fi;
      reset()
    }
  /* Any GroupInfo, of any Epoch that ever was, to somebody who wants to enter. */
  :: atomic {
      made < NODES;
      chooseMember();
      if
      :: standing[p] == WAITING && pending[p] == NONE ->
        chooseNode();
        d_step { make(p, n, 0, true, true); pending[p] = made - 1 }
      :: else -> skip
      fi;
      reset()
    }
  /* Any answer to a Commit. */
  :: atomic {
      chooseMember();
      if
      :: pending[p] != NONE -> yes = 1
      :: pending[p] != NONE -> yes = 0
      :: else -> p = NONE
      fi;
      if
      :: p != NONE -> d_step { k = pending[p]; pending[p] = NONE; answer(p, k); agree() }
      :: else -> skip
      fi;
      reset()
    }
  /* An honest member goes. Whether anybody removes it is the server's to say. */
  :: atomic {
      chooseMember();
      if
      :: free(p) -> d_step { standing[p] = OUT; at[p] = NONE; shown[p] = 0 }
      :: else -> skip
      fi;
      reset()
    }
  /* The dishonest member commits where it has the keys and its leaf, with a path or without. */
  :: atomic {
      made < NODES;
      chooseNode();
      if
      :: node[n].knows & node[n].members & BIT(DISHONEST) ->
        chooseSome(node[n].members & ~BIT(DISHONEST));
        if
        :: yes = 0
        :: yes = 1
        fi;
        d_step { make(DISHONEST, n, chosen, yes, false) }
      :: else -> skip
      fi;
      reset()
    }
  /* It lets people in: its accomplices or honest ones, whom everybody is shown. */
  :: atomic {
      made < NODES;
      chooseNode();
      if
      :: node[n].knows & node[n].members & BIT(DISHONEST) ->
        chooseSome(ALL & ~node[n].members);
        if
        :: yes = 0
        :: yes = 1
        fi;
        d_step { admit(DISHONEST, n, chosen, yes) }
      :: else -> skip
      fi;
      reset()
    }
  /* It comes back by an entry of its own: then everybody is shown it. */
  :: atomic {
      made < NODES;
      chooseNode();
      if
      :: !(node[n].members & BIT(DISHONEST)) -> d_step { make(DISHONEST, n, 0, true, true) }
      :: else -> skip
      fi;
      reset()
    }
  od
}
