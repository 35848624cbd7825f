// A stack on Pion: reads JSON lines (see ../participant.py), sends sealed frames, opens those that come.
package main

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v3"
	"github.com/pion/webrtc/v3/pkg/media"
)

const (
	microphone = 0
	camera     = 1
	tagSize    = 16
)

// --- frames, as docs/protocol.md has them ---

type frameKey struct {
	kid, counter uint64
	aead         cipher.AEAD
	salt         []byte
	label        int
}

type secret struct {
	Epoch, Index uint64
	Secret       string
}

func prefixed(value []byte) []byte {
	return append([]byte{byte(len(value) >> 8), byte(len(value))}, value...)
}

// hkdf is RFC 5869 with SHA-256 and no salt.
func hkdf(key, info []byte, size int) []byte {
	extract := hmac.New(sha256.New, make([]byte, sha256.Size))
	extract.Write(key)
	prk := extract.Sum(nil)
	var made, block []byte
	for count := byte(1); len(made) < size; count++ {
		expand := hmac.New(sha256.New, prk)
		expand.Write(block)
		expand.Write(info)
		expand.Write([]byte{count})
		block = expand.Sum(nil)
		made = append(made, block...)
	}
	return made[:size]
}

func newFrameKey(version string, of secret, label int) (*frameKey, error) {
	raw, err := hex.DecodeString(of.Secret)
	if err != nil {
		return nil, err
	}
	kid := of.Epoch%65536*256 + of.Index*8 + uint64(label)
	id := make([]byte, 4)
	binary.BigEndian.PutUint32(id, uint32(kid))
	derived := hkdf(raw, append(prefixed([]byte(version+" key")), prefixed(id)...), 44)
	block, err := aes.NewCipher(derived[:32])
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &frameKey{kid: kid, aead: aead, salt: derived[32:], label: label}, err
}

func (key *frameKey) nonce(counter uint64) []byte {
	nonce := append([]byte{}, key.salt...)
	for at := 0; at < 8; at++ {
		nonce[4+at] ^= byte(counter >> (56 - 8*at))
	}
	return nonce
}

func shortest(value uint64) []byte {
	whole := make([]byte, 8)
	binary.BigEndian.PutUint64(whole, value)
	start := 0
	for start < 7 && whole[start] == 0 {
		start++
	}
	return whole[start:]
}

func clearBytes(frame []byte, label int) int {
	if label != camera || len(frame) == 0 {
		return 0
	}
	clear := 10
	if frame[0]&1 == 1 {
		clear = 1
	}
	if clear > len(frame) {
		return len(frame)
	}
	return clear
}

func (key *frameKey) seal(frame []byte) []byte {
	clear := clearBytes(frame, key.label)
	kid, counter := shortest(key.kid), shortest(key.counter)
	header := append(append(kid, counter...), byte((len(kid)-1)*16+len(counter)-1))
	made := append([]byte{}, frame[:clear]...)
	aad := append(append([]byte{}, frame[:clear]...), header...)
	made = key.aead.Seal(made, key.nonce(key.counter), frame[clear:], aad)
	key.counter++
	return append(append(made, header...), 0x53, 0x4b)
}

var errFrame = errors.New("not a frame for us")

func open(keys map[uint64]*frameKey, frame []byte, label int) ([]byte, error) {
	size := len(frame)
	if size < 5+tagSize || frame[size-2] != 0x53 || frame[size-1] != 0x4b {
		return nil, errFrame
	}
	kidSize, counterSize := int(frame[size-3]>>4)+1, int(frame[size-3]&15)+1
	start := size - 3 - kidSize - counterSize
	if kidSize > 4 || counterSize > 8 || start < tagSize {
		return nil, errFrame
	}
	number := func(part []byte) (value uint64) {
		for _, one := range part {
			value = value<<8 | uint64(one)
		}
		return
	}
	key := keys[number(frame[start:start+kidSize])]
	if key == nil || key.label != label {
		return nil, errFrame
	}
	clear := clearBytes(frame[:start], label)
	if clear > start-tagSize {
		clear = start - tagSize
	}
	aad := append(append([]byte{}, frame[:clear]...), frame[start:size-2]...)
	rest, err := key.aead.Open(nil, key.nonce(number(frame[start+kidSize:size-3])), frame[clear:start], aad)
	return append(append([]byte{}, frame[:clear]...), rest...), err
}

// --- the connection ---

type stack struct {
	sync.Mutex
	connection *webrtc.PeerConnection
	tracks     [2]*webrtc.TrackLocalStaticSample
	remotes    map[uint64]*frameKey
	connected  bool
	muted      bool
	version    string
	frames     [2][][]byte
	every      [2]time.Duration
}

var output sync.Mutex

func say(message map[string]interface{}) {
	text, _ := json.Marshal(message)
	output.Lock()
	defer output.Unlock()
	fmt.Printf("%s\n", text)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func (s *stack) connect() {
	var err error
	s.connection, err = webrtc.NewPeerConnection(webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle})
	check(err)
	for label, kind := range []string{webrtc.MimeTypeOpus, webrtc.MimeTypeVP8} {
		s.tracks[label], err = webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: kind}, kind, "stack")
		check(err)
		_, err = s.connection.AddTransceiverFromTrack(s.tracks[label], webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		check(err)
	}
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeVideo} {
		_, err = s.connection.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
		check(err)
	}
	s.connection.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { s.receive(track) })
	s.connection.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		s.Lock()
		s.connected = state == webrtc.PeerConnectionStateConnected
		s.Unlock()
		say(map[string]interface{}{"state": state.String()})
	})
	offer, err := s.connection.CreateOffer(nil)
	check(err)
	check(s.connection.SetLocalDescription(offer))
	say(map[string]interface{}{"offer": offer.SDP})
}

func (s *stack) receive(track *webrtc.TrackRemote) {
	label, name := microphone, "audio"
	if track.Kind() == webrtc.RTPCodecTypeVideo {
		label, name = camera, "video"
	}
	var parts []byte
	var next uint16
	whole := false
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		if len(packet.Payload) == 0 {
			continue
		}
		if label == microphone {
			s.take(packet.Payload, label, name)
			continue
		}
		part, begins, err := vp8(packet)
		if err != nil {
			continue
		}
		if begins {
			parts, whole = nil, true
		} else if packet.SequenceNumber != next {
			whole = false
		}
		next = packet.SequenceNumber + 1
		parts = append(parts, part...)
		if packet.Marker && whole {
			s.take(parts, label, name)
			whole = false
		}
	}
}

func vp8(packet *rtp.Packet) ([]byte, bool, error) {
	var payload codecs.VP8Packet
	part, err := payload.Unmarshal(packet.Payload)
	return part, payload.S == 1 && payload.PID == 0, err
}

func (s *stack) take(frame []byte, label int, name string) {
	s.Lock()
	defer s.Unlock()
	if len(s.remotes) == 0 {
		return
	}
	opened, err := open(s.remotes, frame, label)
	if err != nil {
		say(map[string]interface{}{"refused": name})
		return
	}
	say(map[string]interface{}{"opened": name, "frame": base64.StdEncoding.EncodeToString(opened)})
}

func (s *stack) play(label int, own *frameKey) {
	ticker := time.NewTicker(s.every[label])
	for count := 0; ; <-ticker.C {
		s.Lock()
		connected := s.connected && !s.muted
		s.Unlock()
		if !connected {
			continue
		}
		frame := s.frames[label][count%len(s.frames[label])]
		check(s.tracks[label].WriteSample(media.Sample{Data: own.seal(frame), Duration: s.every[label]}))
		count++
	}
}

func main() {
	s := &stack{remotes: map[uint64]*frameKey{}}
	say(map[string]interface{}{"version": os.Getenv("PION_VERSION")})
	playing := false
	lines := bufio.NewReaderSize(os.Stdin, 1<<22)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var message struct {
			Connect *struct {
				Version      string
				Rate         int
				Audio, Video [][]byte
			}
			Answer      string
			Own, Remote *secret
			Mute        *bool
		}
		check(json.Unmarshal(line, &message))
		switch {
		case message.Connect != nil:
			s.version = message.Connect.Version
			s.frames = [2][][]byte{message.Connect.Audio, message.Connect.Video}
			s.every = [2]time.Duration{20 * time.Millisecond, time.Second / time.Duration(message.Connect.Rate)}
			s.connect()
		case message.Mute != nil:
			s.Lock()
			s.muted = *message.Mute
			s.Unlock()
		case message.Answer != "":
			check(s.connection.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: message.Answer}))
		case message.Own != nil && !playing:
			playing = true
			for label := range s.frames {
				key, err := newFrameKey(s.version, *message.Own, label)
				check(err)
				go s.play(label, key)
			}
		case message.Remote != nil:
			s.Lock()
			for label := range s.frames {
				key, err := newFrameKey(s.version, *message.Remote, label)
				check(err)
				s.remotes[key.kid] = key
			}
			s.Unlock()
		}
	}
}
