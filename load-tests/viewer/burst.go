package main

import (
	"encoding/binary"
	"slices"
	"sync/atomic"
	"time"
)

// A stream in bursts: frames of some packets, key frames of more.
type burstArgs struct {
	Port int
	SSRC uint32
	// So many streams at once, with SSRCs in a row, whose frames are spread over a frame's time.
	Streams         int
	PayloadType     uint8
	ClockRate       int
	FramesPerS      float64
	PacketsPerFrame int
	KeyPackets      int
	KeyEvery        int
	PacketBytes     int
	Frames          int
}

// When each packet of a stream was written, by sequence number, and which number begins the frame of a timestamp.
type journal struct {
	at     [1 << 16]atomic.Int64
	frames [1 << 10]atomic.Uint64
}

func (j *journal) begin(timestamp uint32, step int, sequence uint16) {
	j.frames[int(timestamp)/step%len(j.frames)].Store(uint64(timestamp)<<32 | uint64(sequence)<<8 | 1)
}

// first is the number of the first packet of this frame.
func (j *journal) first(timestamp uint32) (uint16, bool) {
	for at := range j.frames {
		if entry := j.frames[at].Load(); entry&1 == 1 && uint32(entry>>32) == timestamp {
			return uint16(entry >> 8), true
		}
	}
	return 0, false
}

// Where a stream stands between two bursts of sending.
type standing struct {
	sequence  uint16
	timestamp uint32
}

// Sends and returns how many packets left. The first stream's times are kept for the light viewers.
func (d *desk) burst(args burstArgs) (any, error) {
	conn, err := d.dial(args.Port)
	if err != nil {
		return nil, err
	}
	step := int(float64(args.ClockRate) / args.FramesPerS)
	interval := time.Duration(float64(time.Second) / args.FramesPerS)
	keep := &journal{}
	d.journal.Store(keep)
	packet := make([]byte, args.PacketBytes)
	packet[0] = 0x80
	sent := 0
	began := time.Now()
	for frame := range args.Frames {
		for stream := range max(1, args.Streams) {
			due := time.Duration(frame)*interval + time.Duration(stream)*interval/time.Duration(max(1, args.Streams))
			time.Sleep(time.Until(began.Add(due)))
			ssrc := args.SSRC + uint32(stream)
			stands := d.standing(ssrc)
			// The first one of a call too: those who were let in meanwhile wait for it.
			isKey := args.KeyEvery > 0 && frame%args.KeyEvery == 0
			parts := args.PacketsPerFrame
			if isKey {
				parts = args.KeyPackets
			}
			if stream == 0 {
				keep.begin(stands.timestamp, step, stands.sequence)
			}
			binary.BigEndian.PutUint32(packet[4:], stands.timestamp)
			binary.BigEndian.PutUint32(packet[8:], ssrc)
			for part := range parts {
				binary.BigEndian.PutUint16(packet[2:], stands.sequence)
				packet[1] = args.PayloadType
				if part == parts-1 {
					packet[1] |= 0x80
				}
				// RFC 7741: the first packet starts partition 0; the lowest bit of its frame header says inter frame.
				packet[12], packet[13] = 0x00, 0x01
				if part == 0 {
					packet[12] = 0x10
					if isKey {
						packet[13] = 0x00
					}
				}
				if stream == 0 {
					keep.at[stands.sequence].Store(time.Now().UnixNano())
				}
				if _, err := conn.Write(packet); err == nil {
					sent++
				}
				stands.sequence++
			}
			stands.timestamp += uint32(step)
		}
	}
	return map[string]int{"packets": sent}, nil
}

func (d *desk) standing(ssrc uint32) *standing {
	found, _ := d.standings.LoadOrStore(ssrc, &standing{sequence: 1, timestamp: 90_000})
	return found.(*standing)
}

func quantiles(values []float64, shares ...float64) []float64 {
	slices.Sort(values)
	result := make([]float64, 0, len(shares))
	for _, share := range shares {
		if len(values) > 0 {
			result = append(result, values[int(share*float64(len(values)-1))])
		}
	}
	return result
}
