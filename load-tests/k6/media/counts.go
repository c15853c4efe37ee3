package media

import "time"

// Counts of what came to a viewer, over all of its streams.
type Counts struct {
	Packets   int64 `json:"packets"`
	Bytes     int64 `json:"bytes"`
	Lost      int64 `json:"lost"`
	Repaired  int64 `json:"repaired"`
	Frames    int64 `json:"frames"`
	KeyFrames int64 `json:"keyFrames"`
	Freezes   int64 `json:"freezes"`
	FrozenMs  int64 `json:"frozenMs"`
	// JitterMs is the worst of the streams.
	JitterMs     float64 `json:"jitterMs"`
	LayerChanges int64   `json:"layerChanges"`
	Streams      int     `json:"streams"`
}

func (c *Counts) add(s *stream, now time.Time) {
	c.Streams++
	c.Packets += s.loss.Received
	c.Bytes += s.bytes
	c.Lost += s.loss.Lost
	c.Repaired += s.loss.Repaired
	c.Frames += s.pictures.Shown
	c.KeyFrames += s.pictures.KeyFrames
	c.Freezes += s.pictures.Freezes
	c.FrozenMs += (s.pictures.Frozen + s.pictures.stalled(now)).Milliseconds()
	c.JitterMs = max(c.JitterMs, s.jitter/s.clock*1000)
}

// Count is what has come so far.
func (v *Viewer) Count() Counts {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	counts, now := v.closed, time.Now()
	counts.Streams = 0
	for ssrc, s := range v.streams {
		if ssrc == s.ssrc {
			counts.add(s, now)
		}
	}
	counts.LayerChanges = v.changes
	return counts
}

// Sum adds another's to these.
func (c *Counts) Sum(other Counts) {
	c.Packets += other.Packets
	c.Bytes += other.Bytes
	c.Lost += other.Lost
	c.Repaired += other.Repaired
	c.Frames += other.Frames
	c.KeyFrames += other.KeyFrames
	c.Freezes += other.Freezes
	c.FrozenMs += other.FrozenMs
	c.JitterMs = max(c.JitterMs, other.JitterMs)
	c.LayerChanges += other.LayerChanges
	c.Streams += other.Streams
}

// Sum adds another's to these.
func (s *Sent) Sum(other Sent) {
	s.Packets += other.Packets
	s.Bytes += other.Bytes
	s.Late += other.Late
	s.Repairs += other.Repairs
	s.KeyAsked += other.KeyAsked
}
