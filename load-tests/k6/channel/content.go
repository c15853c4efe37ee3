package channel

import (
	"encoding/binary"
	"encoding/json"
	"errors"
)

// Parts are the bytes beside the JSON of one message: `length(4) ‖ JSON ‖ parts`.
type Parts struct{ bytes []byte }

// Place is what stands in the JSON for bytes.
type Place struct {
	Bytes [2]int `json:"$bytes"`
}

// Add puts bytes beside the JSON.
func (p *Parts) Add(bytes []byte) Place {
	place := Place{[2]int{len(p.bytes), len(bytes)}}
	p.bytes = append(p.bytes, bytes...)
	return place
}

// At gives the bytes of a place: a view, valid as long as the message.
func (p *Parts) At(place Place) ([]byte, error) {
	from, length := place.Bytes[0], place.Bytes[1]
	if from < 0 || length < 0 || from > len(p.bytes) || length > len(p.bytes)-from {
		return nil, errors.New("MALFORMED: bytes that are not there")
	}
	return p.bytes[from : from+length], nil
}

// EncodeContent makes a message of a value and the parts that it names.
func EncodeContent(value any, parts *Parts) ([]byte, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	content := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(text)+len(parts.bytes)), uint32(len(text)))
	return append(append(content, text...), parts.bytes...), nil
}

// SplitContent gives the JSON of a message and its parts: views, valid as long as the message.
func SplitContent(content []byte) (text []byte, parts Parts, err error) {
	if len(content) < 4 || uint64(binary.BigEndian.Uint32(content)) > uint64(len(content)-4) {
		return nil, parts, errors.New("MALFORMED: no message")
	}
	end := 4 + int(binary.BigEndian.Uint32(content))
	return content[4:end], Parts{content[end:]}, nil
}

// Clone is of its own, however long the message lives.
func (p Parts) Clone() Parts { return Parts{append([]byte(nil), p.bytes...)} }
