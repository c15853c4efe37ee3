package call

import "encoding/json"

// Admission is what a Peer needs to take part (packages/protocol, model).
type Admission struct {
	RoomID string `json:"roomId"`
	PeerID string `json:"peerId"`
	Role   string `json:"role"`
	Place
	Peers []PeerView `json:"peers"`
}

// Place is where a Peer's media goes.
type Place struct {
	Region        string           `json:"region"`
	NodeID        string           `json:"nodeId"`
	Capabilities  RtpCapabilities  `json:"routerRtpCapabilities"`
	SendTransport TransportOptions `json:"sendTransport"`
	RecvTransport TransportOptions `json:"recvTransport"`
}

// PeerView is a Peer as the others see it.
type PeerView struct {
	PeerID    string         `json:"peerId"`
	Producers []ProducerView `json:"producers"`
}

// ProducerView is a stream that can be consumed.
type ProducerView struct {
	ProducerID string `json:"producerId"`
	PeerID     string `json:"peerId"`
	Kind       string `json:"kind"`
	Source     string `json:"source"`
}

// ConsumerView is a stream that comes.
type ConsumerView struct {
	ConsumerID    string        `json:"consumerId"`
	ProducerID    string        `json:"producerId"`
	Kind          string        `json:"kind"`
	Type          string        `json:"type"`
	RtpParameters RtpParameters `json:"rtpParameters"`
}

// TransportOptions describe the server's end of one WebRTC transport.
type TransportOptions struct {
	ID            string `json:"id"`
	IceParameters struct {
		UsernameFragment string `json:"usernameFragment"`
		Password         string `json:"password"`
	} `json:"iceParameters"`
	IceCandidates []struct {
		Address  string `json:"address"`
		IP       string `json:"ip"`
		Port     uint16 `json:"port"`
		Protocol string `json:"protocol"`
	} `json:"iceCandidates"`
	DtlsParameters struct {
		Fingerprints []Fingerprint `json:"fingerprints"`
	} `json:"dtlsParameters"`
}

// Fingerprint of a certificate, in capitals with colons.
type Fingerprint struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"value"`
}

// RtpCapabilities in mediasoup's words, as far as they are looked at.
type RtpCapabilities struct {
	Codecs           []RtpCodec        `json:"codecs"`
	HeaderExtensions []HeaderExtension `json:"headerExtensions"`
}

// RtpCodec is one codec of capabilities or parameters.
type RtpCodec struct {
	Kind                 string          `json:"kind,omitempty"`
	MimeType             string          `json:"mimeType"`
	PreferredPayloadType uint8           `json:"preferredPayloadType,omitempty"`
	PayloadType          uint8           `json:"payloadType,omitempty"`
	ClockRate            uint32          `json:"clockRate"`
	Channels             int             `json:"channels,omitempty"`
	Parameters           json.RawMessage `json:"parameters,omitempty"`
	RtcpFeedback         json.RawMessage `json:"rtcpFeedback,omitempty"`
}

// HeaderExtension of capabilities (kind, preferredId) or of parameters (id).
type HeaderExtension struct {
	Kind             string `json:"kind,omitempty"`
	URI              string `json:"uri"`
	PreferredID      int    `json:"preferredId,omitempty"`
	ID               int    `json:"id,omitempty"`
	PreferredEncrypt bool   `json:"preferredEncrypt,omitempty"`
	Direction        string `json:"direction,omitempty"`
}

// RtpParameters of a Producer or Consumer.
type RtpParameters struct {
	Mid              string            `json:"mid,omitempty"`
	Codecs           []RtpCodec        `json:"codecs"`
	HeaderExtensions []HeaderExtension `json:"headerExtensions"`
	Encodings        []Encoding        `json:"encodings"`
	Rtcp             Rtcp              `json:"rtcp"`
}

// Encoding is one stream and what repairs it.
type Encoding struct {
	SSRC             uint32 `json:"ssrc,omitempty"`
	RTX              *SSRC  `json:"rtx,omitempty"`
	ScalabilityMode  string `json:"scalabilityMode,omitempty"`
	MaxBitrate       int    `json:"maxBitrate,omitempty"`
	CodecPayloadType uint8  `json:"codecPayloadType,omitempty"`
	Dtx              bool   `json:"dtx,omitempty"`
}

// SSRC names a stream of repairs.
type SSRC struct {
	SSRC uint32 `json:"ssrc"`
}

// Rtcp names the sender in reports.
type Rtcp struct {
	Cname       string `json:"cname"`
	ReducedSize bool   `json:"reducedSize"`
}

// ExtensionID is the number under which an extension travels; 0 where it does not.
func (p RtpParameters) ExtensionID(uri string) uint8 {
	for _, extension := range p.HeaderExtensions {
		if extension.URI == uri {
			return uint8(extension.ID)
		}
	}
	return 0
}
