package media

import (
	"math/rand/v2"
	"time"
)

// queueMax is how long a packet waits before a narrow link before it is thrown away, as in a router at home.
const queueMax = 250 * time.Millisecond

// Link is what the last mile to one receiver does to media. Nothing by itself. Feedback goes the other way and is let through.
type Link struct {
	// LossPercent of packets that vanish, each by its own.
	LossPercent float64 `json:"lossPercent"`
	// BitsPerSecond that pass; 0: all.
	BitsPerSecond int64 `json:"bitsPerSecond"`

	free time.Time
}

// carry is when a packet of so many bytes that was sent at this time arrives, and whether it does.
func (l *Link) carry(bytes int, sent time.Time) (arrives time.Time, does bool) {
	if l.LossPercent > 0 && rand.Float64()*100 < l.LossPercent {
		return sent, false
	}
	if l.BitsPerSecond == 0 {
		return sent, true
	}
	if l.free.Before(sent) {
		l.free = sent
	}
	if l.free.Sub(sent) > queueMax {
		return sent, false
	}
	l.free = l.free.Add(time.Duration(int64(bytes) * 8 * int64(time.Second) / l.BitsPerSecond))
	return l.free, true
}
