package crowd

import (
	"time"

	"veilcast/load-tests/k6/media"
)

// Now is what a crowd is and has seen.
type Now struct {
	Peers int `json:"peers"`
	Keyed int `json:"keyed"`
	// Waiting have been watching and seen no packet yet.
	Waiting int          `json:"waiting"`
	Came    media.Counts `json:"came"`
	Sent    media.Sent   `json:"sent"`
	// WorstLoss is the largest share of one viewer's packets that were lost after all repair.
	WorstLoss float64 `json:"worstLoss"`
}

// Count adds up everybody, those who have left too.
func (c *Crowd) Count() Now {
	peers := c.list()
	c.mutex.Lock()
	now := Now{Peers: len(peers), Came: c.past, Sent: c.sent}
	c.mutex.Unlock()
	now.Came.Streams = 0
	for _, p := range peers {
		came, sent, first := p.counts()
		if p.keyed() {
			now.Keyed++
		}
		if p.person.Watch && first == 0 {
			now.Waiting++
		}
		now.Came.Sum(came)
		now.Sent.Sum(sent)
		now.WorstLoss = max(now.WorstLoss, lossOf(came))
	}
	return now
}

func lossOf(came media.Counts) float64 {
	if came.Packets == 0 {
		return 0
	}
	return float64(came.Lost) / float64(came.Packets+came.Lost)
}

// FirstPackets are those of everybody who is here, from watching to the first packet.
func (c *Crowd) FirstPackets() (all []time.Duration) {
	for _, p := range c.list() {
		if _, _, first := p.counts(); first > 0 {
			all = append(all, first)
		}
	}
	return all
}
