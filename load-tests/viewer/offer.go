package main

import (
	"fmt"
	"sort"
	"strings"
)

// What mediasoup says of a transport and of a Consumer on it, in its own words.
type watchArgs struct {
	Group         string
	IceParameters struct {
		UsernameFragment string
		Password         string
	}
	IceCandidates []struct {
		Foundation string
		Priority   uint32
		IP         string
		Port       uint16
		Protocol   string
	}
	DtlsParameters struct {
		Fingerprints []struct{ Algorithm, Value string }
	}
	RtpParameters struct {
		Codecs []struct {
			MimeType     string
			PayloadType  uint8
			ClockRate    uint32
			Parameters   map[string]any
			RtcpFeedback []struct{ Type, Parameter string }
		}
		HeaderExtensions []struct {
			URI string
			ID  int
		}
		Encodings []struct {
			SSRC uint32
			RTX  struct{ SSRC uint32 }
		}
	}
}

// The same as an SDP offer of one stream (RFC 8829).
func (args watchArgs) offer() string {
	var lines []string
	add := func(format string, values ...any) { lines = append(lines, fmt.Sprintf(format, values...)) }
	rtp := args.RtpParameters
	types := make([]string, 0, len(rtp.Codecs))
	for _, codec := range rtp.Codecs {
		types = append(types, fmt.Sprint(codec.PayloadType))
	}
	add("v=0")
	add("o=- 1 1 IN IP4 127.0.0.1")
	add("s=-")
	add("t=0 0")
	add("a=ice-lite")
	add("a=group:BUNDLE 0")
	add("m=video 7 UDP/TLS/RTP/SAVPF %s", strings.Join(types, " "))
	add("c=IN IP4 127.0.0.1")
	add("a=mid:0")
	add("a=sendonly")
	add("a=setup:actpass")
	add("a=rtcp-mux")
	add("a=rtcp-rsize")
	add("a=ice-ufrag:%s", args.IceParameters.UsernameFragment)
	add("a=ice-pwd:%s", args.IceParameters.Password)
	for _, print := range args.DtlsParameters.Fingerprints {
		if print.Algorithm == "sha-256" {
			add("a=fingerprint:%s %s", print.Algorithm, print.Value)
		}
	}
	for _, each := range args.IceCandidates {
		if each.Protocol == "udp" {
			add("a=candidate:%s 1 udp %d %s %d typ host", each.Foundation, each.Priority, each.IP, each.Port)
		}
	}
	add("a=end-of-candidates")
	for _, codec := range rtp.Codecs {
		add("a=rtpmap:%d %s/%d", codec.PayloadType, strings.TrimPrefix(codec.MimeType, "video/"), codec.ClockRate)
		for _, feedback := range codec.RtcpFeedback {
			add("a=rtcp-fb:%d %s", codec.PayloadType, strings.TrimSpace(feedback.Type+" "+feedback.Parameter))
		}
		if parameters := formatParameters(codec.Parameters); parameters != "" {
			add("a=fmtp:%d %s", codec.PayloadType, parameters)
		}
	}
	for _, extension := range rtp.HeaderExtensions {
		add("a=extmap:%d %s", extension.ID, extension.URI)
	}
	encoding := rtp.Encodings[0]
	add("a=msid:bench bench")
	add("a=ssrc-group:FID %d %d", encoding.SSRC, encoding.RTX.SSRC)
	for _, ssrc := range []uint32{encoding.SSRC, encoding.RTX.SSRC} {
		add("a=ssrc:%d cname:bench", ssrc)
		add("a=ssrc:%d msid:bench bench", ssrc)
	}
	return strings.Join(lines, "\r\n") + "\r\n"
}

func formatParameters(parameters map[string]any) string {
	parts := make([]string, 0, len(parameters))
	for name, value := range parameters {
		parts = append(parts, fmt.Sprintf("%s=%v", name, value))
	}
	sort.Strings(parts)
	return strings.Join(parts, ";")
}
