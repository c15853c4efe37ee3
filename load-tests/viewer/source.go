package main

import (
	"encoding/binary"
	"net"
	"time"
)

// A stream: pictures of some packets each, at an even pace.
type sendArgs struct {
	Port            int
	SSRC            uint32
	PayloadType     uint8
	PicturesPerS    int
	PacketsPerFrame int
	PacketBytes     int
	Pictures        int
	// Where the stream stands, so that it goes on where it was stopped.
	FirstSequence uint16
	FirstPicture  uint32
	// Every so many pictures a key frame.
	KeyEvery int
}

// Sends and returns how many packets left.
func (d *desk) send(args sendArgs) (any, error) {
	conn, err := d.dial(args.Port)
	if err != nil {
		return nil, err
	}
	packet := make([]byte, args.PacketBytes)
	packet[0] = 0x80
	binary.BigEndian.PutUint32(packet[8:], args.SSRC)
	sequence := args.FirstSequence
	sent := 0
	began := time.Now()
	for picture := range args.Pictures {
		time.Sleep(time.Until(began.Add(time.Duration(picture) * time.Second / time.Duration(args.PicturesPerS))))
		binary.BigEndian.PutUint32(packet[4:], (args.FirstPicture+uint32(picture))*uint32(90_000/args.PicturesPerS))
		for part := range args.PacketsPerFrame {
			binary.BigEndian.PutUint16(packet[2:], sequence)
			sequence++
			packet[1] = args.PayloadType
			if part == args.PacketsPerFrame-1 {
				packet[1] |= 0x80
			}
			// RFC 7741: the first packet starts partition 0; the lowest bit of its frame header says inter frame.
			packet[12], packet[13] = 0x00, 0x01
			if part == 0 {
				packet[12] = 0x10
				if picture%args.KeyEvery == 0 {
					packet[13] = 0x00
				}
			}
			binary.BigEndian.PutUint32(packet[12+numberAt:], args.FirstPicture*uint32(args.PacketsPerFrame)+uint32(sent))
			binary.BigEndian.PutUint64(packet[12+stampAt:], uint64(time.Now().UnixNano()))
			if _, err := conn.Write(packet); err != nil {
				continue
			}
			sent++
		}
	}
	return map[string]int{"packets": sent}, nil
}

// The socket towards this port, always the same: the SFU takes packets from nobody but the first who sent some.
func (d *desk) dial(port int) (*net.UDPConn, error) {
	d.dialing.Lock()
	defer d.dialing.Unlock()
	if conn := d.sockets[port]; conn != nil {
		return conn, nil
	}
	conn, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err == nil {
		d.sockets[port] = conn
	}
	return conn, err
}
