/* The key handshake of docs/protocol.md with a server that lies: who hears, and who is told.

Two people, 0 and 1, follow the protocol. Everything between them is one liar, who decides which epoch either of them is
in, which members each is told of, and whose commitment, reveal and wrap reach whom; a message that was sent may be used at
any later time. The liar cannot invert a hash, nor open what is sealed to another's key: a transcript is equal at both ends
only if each end took the other's own commitment of the same epoch and both were told of the same members.

What is abstracted:
- Time. An epoch ends when the liar begins the next one or says that everybody left.
- The six digits. Those of equal transcripts are equal. Whoever is in the middle of both ends knows, once both revealed,
  whether the digits will be equal; this is a *draw*. The first LUCK - 1 draws are without luck, from then on any may have
  it. The probability of LUCK - 1 draws is what docs/protocol.md states.
- Digits that were shown are never hit again by chance.
Bounds: two people, EPOCHS epochs at each end, no page loaded anew (it is a new participant, which is said in words).

Wrong, if both show digits, they are equal, nobody was told of tampering or of withheld reveals, and yet
- both have the same transcript, and the liar holds a secret under which either has sent, now or before; or
- the liar is in the middle with luck, and no page has marked that its digits changed.

The rules can be left out one by one: -DNO_MEMBERS, -DNO_COUNT, -DNO_CHAIN. */

#ifndef EPOCHS
#define EPOCHS 5
#endif
#ifndef LUCK
#define LUCK 6
#endif
#define TELL 3

#define BIT(e) (1 << (e))
#define OTHER(p) (1 - (p))

mtype = { alone, committed, revealed, agreed, complete, tampering };
mtype = { nobody, person, liar };

mtype phase[2] = alone;
mtype peer[2] = nobody;     /* whose commitment was taken in this epoch */
byte epoch[2];
bit extra[2];               /* the liar is a member in this epoch, beside the two who are shown */

byte began[2];              /* epochs in which a commitment was sent, a reveal, a secret: they may be used from then on */
byte opened[2];
byte wrapped[2];            /* secrets for the other person, by epoch */
byte among[2];              /* epochs in which the liar was a member */

byte last[2];               /* transcript of the last completed handshake: 0 none, its epoch, or FOREIGN: with the liar */
#define FOREIGN 15
typedef Lasts { byte at[EPOCHS + 1] };
Lasts said[2];              /* what was said to be the last one, in the commitment of each epoch */
byte knows[2];              /* epochs whose transcript with the other person was agreed on */

byte count[2];
byte counted[2];            /* the count in the commitment of the present epoch */
bit shown[2];               /* digits were shown */
bit told[2];
bit marked[2];
bit heard[2];               /* the liar holds a secret under which this person has sent */

byte draws;
bit lucky;                  /* the digits of both ends would be equal, by luck */

inline give_up(p) {
    if
    :: phase[p] != complete && count[p] >= TELL -> told[p] = 1
    :: else
    fi;
    lucky = 0;
    extra[p] = 0;
    peer[p] = nobody
}

inline begin(p, e, third) {
    give_up(p);
    /* What the other sent in earlier epochs can be used no more; forgetting it saves states. */
    began[OTHER(p)] = began[OTHER(p)] & ~(BIT(e) - 1);
    opened[OTHER(p)] = opened[OTHER(p)] & ~(BIT(e) - 1);
    wrapped[OTHER(p)] = wrapped[OTHER(p)] & ~(BIT(e) - 1);
    among[OTHER(p)] = among[OTHER(p)] & ~(BIT(e) - 1);
    said[OTHER(p)].at[e - 1] = 0;
    epoch[p] = e;
    extra[p] = third;
#ifdef NO_MEMBERS
    phase[p] = committed;
#else
    if
    :: third -> phase[p] = tampering; told[p] = 1
    :: else -> phase[p] = committed
    fi;
#endif
    if
    :: phase[p] == committed ->
        began[p] = began[p] | BIT(e);
        among[p] = among[p] | (third * BIT(e));
        said[p].at[e] = last[p];
        counted[p] = count[p]
    :: else
    fi;
    printf("person %d: epoch %d, %d members\n", p, e, 2 + third)
}

inline take_commitment(p, whose, luck) {
    peer[p] = whose;
    phase[p] = revealed;
    opened[p] = opened[p] | BIT(epoch[p]);
#ifndef NO_COUNT
    count[p]++;
#endif
    if
    :: whose == liar && peer[OTHER(p)] == liar && phase[OTHER(p)] != committed && phase[OTHER(p)] != tampering ->
        if
        :: draws < LUCK -> draws++
        :: else
        fi;
        lucky = luck && draws >= LUCK
    :: else
    fi;
    printf("person %d: takes a commitment of %e, reveals (draw %d, lucky %d)\n", p, whose, draws, lucky)
}

inline take_reveal(p) {
    if
#ifndef NO_CHAIN
    :: peer[p] == person && said[OTHER(p)].at[epoch[p]] == FOREIGN -> phase[p] = tampering
    :: peer[p] == person && said[OTHER(p)].at[epoch[p]] != FOREIGN && said[OTHER(p)].at[epoch[p]] != 0 &&
       !(knows[p] & BIT(said[OTHER(p)].at[epoch[p]])) -> phase[p] = tampering
#endif
    :: else ->
        phase[p] = agreed;
        if
        :: peer[p] == person ->
            knows[p] = knows[p] | BIT(epoch[p]);
            wrapped[p] = wrapped[p] | BIT(epoch[p])
        :: else
        fi
    fi;
    if
    :: phase[p] == tampering -> told[p] = 1; lucky = 0
    :: else
    fi;
    printf("person %d: takes the reveal, %e\n", p, phase[p])
}

inline finish(p) {
    phase[p] = complete;
#ifndef NO_COUNT
    count[p]--;
#endif
    if
    :: peer[p] == liar || extra[p] -> heard[p] = 1
    :: else
    fi;
    if
    :: peer[p] == person -> last[p] = epoch[p]
    :: else -> last[p] = FOREIGN
    fi;
    if
    :: shown[p] -> marked[p] = 1
    :: else
    fi;
    shown[p] = 1;
    if
    :: count[p] >= TELL || (peer[p] == person && counted[OTHER(p)] >= TELL && epoch[OTHER(p)] == epoch[p]) -> told[p] = 1
    :: else
    fi;
    printf("person %d: completes, shows digits (heard %d, told %d, marked %d)\n", p, heard[p], told[p], marked[p])
}

#define SAME (peer[0] == person && peer[1] == person && epoch[0] == epoch[1] && extra[0] == extra[1])
#define WRONG (phase[0] == complete && phase[1] == complete && !told[0] && !told[1] && (heard[0] || heard[1]) \
    && (SAME || (lucky && !marked[0] && !marked[1])))

/* What the liar may do next with person p. */
#define CAN_BEGIN (phase[p] != tampering && epoch[p] < EPOCHS)
#define CAN_EMPTY (phase[p] != tampering && phase[p] != alone)
#define CAN_PASS_COMMITMENT (phase[p] == committed && (began[OTHER(p)] & BIT(epoch[p])))
#define CAN_FAKE_COMMITMENT (phase[p] == committed)
#define CAN_REVEAL (phase[p] == revealed && (peer[p] == liar || (opened[OTHER(p)] & BIT(epoch[p]))))
#define CAN_WRAP (phase[p] == agreed && (peer[p] == liar || ((wrapped[OTHER(p)] & BIT(epoch[p])) \
    && extra[p] == ((among[OTHER(p)] >> epoch[p]) & 1))))

active proctype server() {
    byte p, e;
    bit choice;
    do
    :: told[0] || told[1] -> break  /* for good: a page that said so once says so for the rest of the consult */
    :: else -> atomic {
        if :: p = 0 :: p = 1 fi;
        if :: choice = 0 :: choice = 1 fi;
        if
        :: CAN_BEGIN -> e = epoch[p] + 1; d_step { begin(p, e, choice) }
        :: CAN_BEGIN && epoch[OTHER(p)] > epoch[p] -> e = epoch[OTHER(p)]; d_step { begin(p, e, choice) }
        :: CAN_EMPTY && !choice -> d_step {
            give_up(p);
            phase[p] = alone;
            printf("person %d: is told that everybody left\n", p)
        }
        :: CAN_PASS_COMMITMENT && !choice -> d_step { take_commitment(p, person, 0) }
        :: CAN_FAKE_COMMITMENT -> d_step { take_commitment(p, liar, choice) }
        :: CAN_REVEAL && !choice -> d_step { take_reveal(p) }
        :: CAN_WRAP && !choice -> d_step { finish(p) }
        :: else
        fi;
        e = 0;
        choice = 0;
        p = 0;
        assert(!WRONG)
    }
    od
}
