package call

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"sync"
	"time"

	"veilcast/load-tests/k6/channel"
)

// The suite of the groups (docs/e2ee/groups.md); the server looks at it.
const groupSuite = 83

// Sizes of the real things, bytes (packages/protocol, limits): a GroupInfo with its tree, a warm Commit.
const (
	groupInfoOfMember = 2700
	commitOfMember    = 160
)

// MLS wire formats and content types (RFC 9420, §6).
const (
	publicMessage  = 1
	privateMessage = 2
	groupInfo      = 4
	contentCommit  = 3
	newMember      = 4
	externalInit   = 6
)

// placeholder takes a Peer's turns in the MLS group without keys: messages of the right framing and size, and nothing in them.
// The delivery service, which has no keys either, does all of its work; a real member would refuse them, so Rooms of
// placeholders have none.
type placeholder struct {
	mutex   sync.Mutex
	call    *Call
	groupID []byte
	members int
	// Of the group as this Peer knows it; -1 before it has a place.
	epoch int
	early []func()
}

func newPlaceholder(room string) *placeholder {
	random := make([]byte, 16)
	rand.Read(random)
	return &placeholder{groupID: append(append([]byte(room), 0), random...), members: 1, epoch: -1}
}

// enter: from here on requests can be made.
func (p *placeholder) enter(call *Call, admission Admission) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.call, p.members = call, len(admission.Peers)+1
	for _, late := range p.early {
		go late()
	}
	p.early = nil
}

func (p *placeholder) heard(event Event) {
	switch event.Name {
	case "peerJoined":
		p.count(1)
	case "peerLeft":
		p.count(-1)
	case "groupCreate", "groupJoin":
		var turn struct {
			Ticket, Epoch int
			GroupInfo     *channel.Place
		}
		if json.Unmarshal(event.Body, &turn) == nil {
			p.adopt(turn.GroupInfo, event.Parts)
			p.answer(turn.Epoch, &turn.Ticket, turn.GroupInfo != nil, []string{})
		}
	case "groupCommit":
		var won struct{ Epoch int }
		if json.Unmarshal(event.Body, &won) == nil {
			p.move(won.Epoch + 1)
		}
	case "groupRemove":
		var removal struct {
			Epoch int
			Peers []string
		}
		if json.Unmarshal(event.Body, &removal) == nil {
			p.answer(removal.Epoch, nil, true, removal.Peers)
		}
	}
}

// move to an Epoch that was made. Before it has a place of its own, a Peer hears of none.
func (p *placeholder) move(epoch int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.epoch = max(p.epoch, epoch)
}

func (p *placeholder) known() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.epoch
}

func (p *placeholder) count(more int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	// A removal may be heard whose entry was not; it is there itself.
	p.members = max(1, p.members+more)
}

// adopt takes the id of the group that there is. The GroupInfo of a group of placeholders begins like every other.
func (p *placeholder) adopt(place *channel.Place, parts channel.Parts) {
	if place == nil {
		return
	}
	bytes, err := parts.At(*place)
	// Version, wire format, version, suite; then the id after its length.
	if err != nil || len(bytes) < 10 {
		return
	}
	if id, ok := readVector(bytes[8:]); ok {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		p.groupID = append([]byte(nil), id...)
	}
}

// answer sends a Commit; whatever becomes of it, the delivery service asks again.
func (p *placeholder) answer(epoch int, ticket *int, commits bool, removes []string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	send := func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		result, _, err := p.call.live().Request(ctx, "groupCommit", func(parts *channel.Parts) any {
			p.mutex.Lock()
			defer p.mutex.Unlock()
			made := epoch + 1
			body := map[string]any{"epoch": epoch, "removes": removes}
			if !commits {
				made = epoch
			} else if ticket != nil {
				body["commit"] = parts.Add(p.externalCommit(epoch))
			} else {
				body["commit"] = parts.Add(p.memberCommit(epoch))
			}
			if ticket != nil {
				body["ticket"] = *ticket
			}
			body["groupInfo"] = parts.Add(p.groupInfo(made))
			return body
		})
		var won struct{ Epoch int }
		if err == nil && json.Unmarshal(result, &won) == nil {
			p.move(won.Epoch)
		}
	}
	if p.call == nil {
		p.early = append(p.early, send)
		return
	}
	go send()
}

// groupInfo describes an Epoch; its padding stands where the signature would.
func (p *placeholder) groupInfo(epoch int) []byte {
	m := message(groupInfo)
	m = binary.BigEndian.AppendUint16(m, 1)
	m = binary.BigEndian.AppendUint16(m, groupSuite)
	m = vector(m, p.groupID)
	m = binary.BigEndian.AppendUint64(m, uint64(epoch))
	m = vector(vector(vector(m, nil), nil), nil) // tree hash, transcript hash, extensions
	m = vector(vector(m, nil), nil)              // extensions, confirmation tag
	m = binary.BigEndian.AppendUint32(m, 0)      // signer
	return vector(m, make([]byte, groupInfoOfMember*p.members))
}

func (p *placeholder) externalCommit(epoch int) []byte {
	m := vector(message(publicMessage), p.groupID)
	m = binary.BigEndian.AppendUint64(m, uint64(epoch))
	m = append(m, newMember)
	m = vector(m, make([]byte, commitOfMember*p.members))
	proposal := binary.BigEndian.AppendUint16([]byte{1}, externalInit)
	m = vector(append(m, contentCommit), vector(proposal, nil))
	m = append(m, 0)                   // no path
	return vector(vector(m, nil), nil) // signature, confirmation tag
}

func (p *placeholder) memberCommit(epoch int) []byte {
	m := vector(message(privateMessage), p.groupID)
	m = binary.BigEndian.AppendUint64(m, uint64(epoch))
	m = vector(append(m, contentCommit), nil)
	return vector(vector(m, nil), make([]byte, commitOfMember*p.members))
}

func message(format uint16) []byte {
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, 1), format)
}

// vector appends bytes after their length (RFC 9420, §2.1.2).
func vector(to, bytes []byte) []byte {
	switch n := len(bytes); {
	case n < 1<<6:
		to = append(to, byte(n))
	case n < 1<<14:
		to = binary.BigEndian.AppendUint16(to, uint16(n)|1<<14)
	default:
		to = binary.BigEndian.AppendUint32(to, uint32(n)|2<<30)
	}
	return append(to, bytes...)
}

func readVector(from []byte) ([]byte, bool) {
	if len(from) == 0 {
		return nil, false
	}
	head := 1 << (from[0] >> 6)
	if head > 4 || len(from) < head {
		return nil, false
	}
	length := int(from[0] & 0x3f)
	for _, b := range from[1:head] {
		length = length<<8 | int(b)
	}
	if len(from)-head < length {
		return nil, false
	}
	return from[head : head+length], true
}
