/**
 * Every body on the wire, made from its registry by `python -m tests.web.test_wire_types`.
 *
 * What only a client sends may lack the fields that have a default; what the server sends has them all.
 */

export type Category = 'protocol' | 'user' | 'internal';
export type Doubt = 'past' | 'double' | 'citizen-nl' | 'citizen-be' | 'citizen-de' | 'citizen-fr' | 'medical';
export type EndReason = 'ended' | 'left' | 'cancelled' | 'expired';
export type FactorKind = 'totp' | 'recovery' | 'passkey';
export type Feature = 'chat' | 'screen';
export type HoldMessage = 'soon' | 'five-minutes' | 'fifteen-minutes' | 'check-sound';
export type Label = 'whole' | 'initials' | 'pseudonym';
export type Language = 'nl' | 'en' | 'de' | 'fr';
export type MediaState = 'new' | 'connecting' | 'connected' | 'reconnecting' | 'failed';
export type Retention = 'end' | '24h' | '7d' | '30d' | '90d' | 'manual';
export type Role = 'practitioner' | 'patient' | 'guest';
export type SignedOutCode = 'token_invalid' | 'token_reused';
export type Source = 'microphone' | 'camera' | 'screen';
export type Unusable = 'microphone' | 'camera' | 'screen' | 'hearing' | 'seeing';

export interface AccountClosed {
  destroyed: number;
  /** In a consult that is waited for; destroyed as soon as it ends. */
  waiting: number;
  /** Of the account itself; null while consults are waited for. */
  receipt: Receipt | null;
}

/** Practitioner only; enters the room too if the practitioner was not in it (`me` as in `arrive`). */
export interface Admit {
  /** An opaque identifier, base64url. */
  appointment: string;
  /** Who is called in. */
  participant: string;
  /** An opaque identifier, base64url. */
  me: string;
  take_over?: boolean;
  /** With the capability `replay`: the last number this page has seen. */
  seen?: number | null;
}

export interface AllDestroyed {
  destroyed: number;
  /** In a consult that is waited for; destroyed as soon as it ends. */
  waiting: number;
}

/** An SDP answer. What is not in `refused`, and was not closed by the offer itself, is live. */
export interface Answer {
  fence: number;
  sdp: string;
  /** Of the slots, as in the event `slots`. */
  version: number;
  slots: SlotView[];
  /** Lines that cannot be used. */
  refused: RefusedLine[];
}

export interface AppointmentList {
  appointments: AppointmentView[];
  /** All that cannot be read, whatever the days asked for: nobody knows theirs. */
  unreadable: UnreadableView[];
}

export interface AppointmentView {
  /** An opaque identifier, base64url. */
  appointment: string;
  /** Rises with every change of what is stored. */
  version: number;
  patient: string;
  starts_at: string;
  minutes: number;
  language: Language;
  state: 'planned' | 'ended';
  /** When it is destroyed; null with the setting manual. */
  destroyed_at: string | null;
  /** Whether it has ended and can still be opened again. */
  reopens: boolean;
  /** The patient's link, secret in its fragment. */
  link: string;
}

/** Enter the room. A patient waits; a practitioner is in at once. Idempotent for the same page. */
export interface Arrive {
  /** An opaque identifier, base64url. */
  appointment: string;
  /** Made by the page, new at every load: 16 random bytes, base64url. */
  participant: string;
  take_over?: boolean;
  /** With the capability `replay`: the last number this page has seen. */
  seen?: number | null;
}

/** What a client must keep to. Sizes in bytes, times in seconds. */
export interface Bounds {
  /** One Socket.IO message. */
  message_bytes: number;
  /** The ciphertext of one chat message, in base64url. */
  chat_bytes: number;
  sdp_bytes: number;
  /** The body of one REST call. */
  body_bytes: number;
  /** Of one socket, in the long run. */
  events_per_second: number;
  events_burst: number;
  /** From the WebSocket to the CONNECT packet. */
  authenticate_within: number;
  /** For which a place is kept after its socket was lost. */
  seat_seconds: number;
  replay_seconds: number;
  once_seconds: number;
}

/** To the practitioner, who is in the consult: by who works for them and may do so. Nobody is put out by it. */
export interface CallIn {
  /** An opaque identifier, base64url. */
  appointment: string;
  /** Who is called in. */
  participant: string;
}

/** End-to-end encrypted; the server passes it on and keeps nothing. */
export interface Chat {
  ciphertext: string;
  /** Only to this participant (a log after a reload). */
  to?: string | null;
}

export interface ChatFrom {
  /** An opaque identifier, base64url. */
  sender: string;
  ciphertext: string;
}

/** The password once more, for what cannot be undone. */
export interface Confirm {
  password: string;
}

/** The `auth` payload of the Socket.IO CONNECT packet. */
export interface Connect {
  version: number;
  /** Access token or resume ticket. */
  token: string;
  /** That the client has; answered by `welcome`. Unknown ones are ignored. */
  capabilities?: string[] | null;
}

/** What shall be otherwise; what is absent stays. Of a consult that runs only `patient` and `minutes` change. */
export interface Correction {
  /** The `version` that was corrected; with another one: `conflict`. */
  seen: number;
  patient?: string | null;
  /** At most two years away. */
  starts_at?: string | null;
  minutes?: number | null;
  language?: Language | null;
  /** As for a new one. */
  anyway?: boolean;
}

/** What an appointment holds that somebody else corrected in the meantime. */
export interface Current {
  version: number;
  patient: string;
  starts_at: string;
  minutes: number;
  language: string;
}

/** Who waits for this practitioner, and which of the appointments has a running consult. */
export interface DeskView {
  version: number;
  /** Absent where an older node says it. */
  practitioner?: string;
  waiting: WaitingView[];
  in_consult: string | null;
}

/** A body without fields. */
export interface Empty {
}

export interface Ended {
  reason: EndReason;
}

/** The ticket into one consult: all that a client needs before it connects. The appointment is the room. */
export interface Entrance {
  access_token: string;
  /** Seconds. */
  expires_in: number;
  /** An opaque identifier, base64url. */
  appointment: string;
  role: Role;
  protocol: Protocol;
  limits: Bounds;
  /** With TURN credentials, for who is in at once; empty for who has to wait: they come with the room view as soon as the practitioner calls in. */
  ice_servers: IceServer[];
  refresh_token: string | null;
  refresh_expires_in: number | null;
}

export interface ErrorCatalogue {
  errors: ErrorView[];
}

/** One code, for programmers and for people. `http` is null for a code that only a client gives. */
export interface ErrorView {
  code: string;
  category: Category;
  http: number | null;
  message: string;
  sentence: Sentence;
}

/** The second step: the challenge of `factor_needed`, and a code of an app or a recovery code. */
export interface FactorCode {
  challenge: string;
  /** Spaces, hyphens and capitals do not matter. */
  code: string;
}

/** Every answer that is not a success. */
export interface Failure {
  error: WireError;
}

/** As RTCIceServer. */
export interface IceServer {
  urls: string[];
  username: string | null;
  credential: string | null;
}

/** What a participant says to be sending; shown as an icon, never trusted for anything else. */
export interface Indicators {
  microphone: boolean;
  camera: boolean;
  screen: boolean;
}

/** What the patient's page may know before anybody calls in. */
export interface Join {
  access_token: string;
  /** Seconds. */
  expires_in: number;
  /** An opaque identifier, base64url. */
  appointment: string;
  role: 'patient' | 'guest';
  protocol: Protocol;
  limits: Bounds;
  /** With TURN credentials, for who is in at once; empty for who has to wait: they come with the room view as soon as the practitioner calls in. */
  ice_servers: IceServer[];
  refresh_token: string | null;
  refresh_expires_in: number | null;
  practitioner_name: string;
  starts_at: string;
  minutes: number;
  language: Language;
  window: 'early' | 'open' | 'late';
  opens_at: string;
  /** Seconds until the waiting room opens; 0 when it has. */
  opens_in: number;
  /** Who still waits then, waits in vain. */
  closes_at: string;
  /** Seconds until then: a clock that stands wrong does not matter. */
  closes_in: number;
}

/** The part of a patient's link behind the `#`: id and secret, 22 base64url characters each. */
export interface JoinRequest {
  link: string;
  /** Whether the answer shall have a refresh token. */
  refresh?: boolean;
}

/** A client refuses another version than its own in words; the server passes on what is offered. */
export interface KeyCommit {
  epoch: number;
  /** Of the end-to-end encryption. */
  version?: number;
  /** 32 bytes, base64url. */
  commitment: string;
}

export interface KeyCommitted {
  epoch: number;
  /** Of the end-to-end encryption. */
  version: number;
  /** 32 bytes, base64url. */
  commitment: string;
  /** An opaque identifier, base64url. */
  sender: string;
}

export interface KeyMember {
  /** An opaque identifier, base64url. */
  participant: string;
  role: Role;
}

/** This handshake cannot be finished (a message was lost); the server starts the next epoch. */
export interface KeyRestart {
  epoch: number;
}

export interface KeyReveal {
  epoch: number;
  /** P-256 point, 65 bytes, base64url. */
  key: string;
  /** 32 bytes, base64url. */
  nonce: string;
  /** Of the last handshake completed with each other member, in their order. */
  last?: string[];
  /** How many handshakes this page revealed its key to in vain. */
  withheld?: number;
}

export interface KeyRevealed {
  epoch: number;
  /** P-256 point, 65 bytes, base64url. */
  key: string;
  /** 32 bytes, base64url. */
  nonce: string;
  /** Of the last handshake completed with each other member, in their order. */
  last: string[];
  /** How many handshakes this page revealed its key to in vain. */
  withheld: number;
  /** An opaque identifier, base64url. */
  sender: string;
}

export interface KeyWrap {
  epoch: number;
  /** An opaque identifier, base64url. */
  to: string;
  /** 60 bytes, base64url. */
  wrapped: string;
}

export interface KeyWrapped {
  epoch: number;
  /** An opaque identifier, base64url. */
  sender: string;
  /** 60 bytes, base64url. */
  wrapped: string;
}

/** A frame of this participant could not be decrypted; ask the sender for a key frame. */
export interface Keyframe {
  /** An opaque identifier, base64url. */
  participant: string;
  source: Source;
}

/** The membership that the current key handshake is about, ordered by participant id (bytewise). */
export interface KeysView {
  epoch: number;
  members: KeyMember[];
}

/** What an m-line of the offer is for. */
export interface Line {
  mid: string;
  use: 'microphone' | 'camera' | 'screen' | 'slot' | 'stage';
  /** With use=slot: its number. */
  slot?: number | null;
}

export interface Me {
  /** An opaque identifier, base64url. */
  practitioner: string;
  /** With which the practitioner signs in. */
  mail: string;
  display_name: string;
  language: Language;
  retention: Retention;
  /** From when on signing in leads to setting up a second factor and to nothing else; absent where it does not. */
  second_factor_by?: string;
  /** Plans and greets for others, at `/served`; has no desk. */
  assists?: boolean;
  /** How often somebody was given sight of this agenda, of which its practitioner has not said to know; absent for none. Of `GET /me` alone. */
  sights_unseen?: number;
}

/** Where media goes. A higher `fence` means: another worker; make a new peer connection and offer again. */
export interface MediaView {
  fence: number;
  /** A worker has the room; an offer will be answered. */
  ready: boolean;
  /** Receive-only slot pairs to put in the offer, before the one stage line. */
  slots: number;
  ice_servers: IceServer[];
}

export interface NewAppointment {
  /** A name or a pseudonym: one line with something to be seen in it. */
  patient: string;
  /** At most two years away. */
  starts_at: string;
  minutes: number;
  language?: Language;
  /** What would be `doubtful` is meant. */
  anyway?: boolean;
}

export interface NewSentence {
  language: Language;
  /** One line with something to be seen in it. */
  text: string;
  /** What would be `doubtful` is meant. */
  anyway?: boolean;
}

/** Beside the body of a replayed event, where both sides have `replay`. */
export interface Numbered {
  seq: number;
}

/** An SDP offer: send-only lines, slot pairs, one stage line. BUNDLE, at most 40 m-lines. */
export interface Offer {
  fence: number;
  sdp: string;
  lines: Line[];
}

/** Beside the body of a client event. 16 random bytes, base64url, the same in each repeat. */
export interface Once {
  /** An opaque identifier, base64url. */
  id: string;
}

/** One person in the room. No names: the page has them from REST. */
export interface ParticipantView {
  /** An opaque identifier, base64url. */
  participant: string;
  role: Role;
  state: 'waiting' | 'admitted';
  /** The signaling socket is there. */
  connected: boolean;
  media: MediaState;
  indicators: Indicators;
  /** What this person's client and the relay have no common form for; say it to everybody. */
  unusable: Unusable[];
}

/** What a passkey said. There is no place for results of extensions: those of PRF are secrets of the browser's. */
export interface PasskeyAssertion {
  challenge: string;
  id: string;
  client_data: string;
  authenticator_data: string;
  signature: string;
  user_handle: string;
}

/** What a browser's `navigator.credentials.get` needs; user verification is required. */
export interface PasskeyOptions {
  /** To be sent back. */
  challenge: string;
  /** What the authenticator signs, base64url. */
  bytes: string;
  /** The relying party's id. */
  party: string;
}

/** How the connection of one side was, in words of a closed list; no address. */
export interface PersonCheckView {
  role: 'practitioner' | 'patient' | 'guest' | 'unknown';
  first: string;
  last: string;
  connection: 'good' | 'weak' | 'bad' | 'failed' | 'unknown';
  sound: 'good' | 'silent' | 'unknown';
  picture: 'good' | 'stopped' | 'unknown';
  /** How the media relay is reached, through which all media passes: by itself, or through TURN. */
  network: 'direct' | 'relayed' | 'unknown';
  udp: boolean | null;
  loss_permille: number | null;
  rtt_ms: number | null;
  reconnects: number;
  /** Family and major version. */
  browser: string | null;
  device: 'phone' | 'tablet' | 'computer' | 'unknown';
}

/** What the server speaks. */
export interface Protocol {
  supported: Versions;
  capabilities: string[];
}

/** Of an irrecoverable destruction (S-31): says when, not what. */
export interface Receipt {
  receipt: string;
  destroyed_at: string;
  generation: number;
}

export interface ReceiptList {
  receipts: Receipt[];
}

/** A refresh token, which is worthless afterwards. */
export interface RefreshRequest {
  refresh_token: string;
}

/** An m-line that was offered and is answered with port 0. */
export interface RefusedLine {
  /** Its index in the offer. */
  line: number;
  /** Null if it has none that can be used. */
  mid: string | null;
  /** One of a fixed list. */
  reason: string;
}

/** Where the numbers go on: after `arrive` and `admit`, and where some are gone. */
export interface Replay {
  seq: number;
  complete: boolean;
}

/** One diagnostics sample (S-11, S-33): technical, allow-listed, kept for 24 hours at most. */
export interface Report {
  /** Age of the sample in milliseconds. */
  at: number;
  candidate?: 'host' | 'srflx' | 'prflx' | 'relay' | 'unknown';
  transport?: 'udp' | 'tcp' | 'unknown';
  rtt_ms?: number | null;
  loss_permille?: number | null;
  sent_kbps?: number | null;
  received_kbps?: number | null;
  event?: 'connected' | 'first-frame' | 'first-sound' | 'reconnecting' | 'failed' | 'encryption-stopped' | 'audio-silent' | 'device-lost' | null;
}

export interface RetentionSet {
  retention: Retention;
  /** Living appointments that this setting destroys within 60 s. */
  due_within_minute: number;
  /** The longest that the practice allows; absent where it allows any. */
  cap?: Retention;
  /** Who set that; absent also where they are no member any more. */
  cap_by?: string;
}

/** All that one participant may know of the room. The highest version wins; each view is complete. */
export interface RoomView {
  version: number;
  /** An opaque identifier, base64url. */
  appointment: string;
  me: ParticipantView;
  others: ParticipantView[];
  media: MediaView | null;
  keys: KeysView | null;
  /** Resume ticket; replaces the one before it. */
  resume: string;
  /** What its practice does not allow in it. */
  barred?: Feature[];
  /** Another than before: corrected; ask REST anew. */
  plan?: number;
}

export interface Sentence {
  nl: string;
  en: string;
  de: string;
  fr: string;
}

export interface SentenceList {
  sentences: SentenceView[];
  /** Of these nobody knows the language. */
  unreadable: UnreadableSentence[];
}

/** What the practitioner says to whoever waits, in one language. It lives as long as the account. */
export interface SentenceView {
  /** An opaque identifier, base64url. */
  sentence: string;
  language: Language;
  text: string;
}

export interface ServedList {
  practitioners: ServedView[];
}

/** A practitioner for whom whoever is signed in works: named in the parameter `practitioner`. */
export interface ServedView {
  /** An opaque identifier, base64url. */
  practitioner: string;
  /** Null where it cannot be read. */
  display_name: string | null;
  /** How much is seen of what this practitioner calls a patient. */
  label: Label;
  /** Whether `call-in` is carried out. */
  admits: boolean;
}

/** The one central setting (S-29). */
export interface SetRetention {
  retention: Retention;
}

/** The challenge of `factor_set_up_needed`. */
export interface SetUp {
  challenge: string;
}

/** E-mail address and password. */
export interface SignIn {
  mail: string;
  password: string;
}

/** A sign-in link's token (the demo's, which dies with the process). */
export interface SignInLink {
  token: string;
}

/** What this connection was opened with is good for nothing any more; the connection is closed after it. */
export interface SignedOut {
  /** Of the error catalogue, which has what to tell the person. */
  code: SignedOutCode;
}

/** Slot `slot` shows `participant`; the stage (a shared screen) has slot -1. */
export interface SlotView {
  slot: number;
  /** An opaque identifier, base64url. */
  participant: string;
}

/** Under one fence the highest `version` counts, also against the one in an answer. */
export interface Slots {
  fence: number;
  version: number;
  slots: SlotView[];
}

/** To be read out to support, who then sees this consult's technical timeline and nothing else. */
export interface SupportCode {
  /** An opaque identifier, base64url. */
  appointment: string;
  code: string;
  /** Seconds. */
  expires_in: number;
}

/** What is left of a consult's samples, each of which lives 24 hours. */
export interface TechnicalCheck {
  /** An opaque identifier, base64url. */
  appointment: string;
  hours: number;
  people: PersonCheckView[];
}

/** One of the canned messages to somebody who waits, by the practitioner or who works for them. */
export interface Tell {
  /** An opaque identifier, base64url. */
  appointment: string;
  /** An opaque identifier, base64url. */
  participant: string;
  message: HoldMessage;
}

/** An access token for the Socket.IO handshake. */
export interface Ticket {
  access_token: string;
  /** Seconds. */
  expires_in: number;
}

/** For an app. The access token opens Socket.IO and, a practitioner's, REST (`Authorization: Bearer`). */
export interface TokenSet {
  access_token: string;
  /** Seconds. */
  expires_in: number;
  /** Good once; replaces the one before it. */
  refresh_token: string;
  /** Seconds, after which one has to sign in or open the link again. */
  refresh_expires_in: number;
  /** Null for a patient. */
  practitioner: string | null;
}

export interface Told {
  message: HoldMessage;
}

/** The relay saw a frame without the encryption trailer and forwards no more of this source. */
export interface Unencrypted {
  source: Source;
}

/** One that cannot be read: damaged, or written by a newer version of the server. It can be destroyed. */
export interface UnreadableSentence {
  /** An opaque identifier, base64url. */
  sentence: string;
  /** Whether a newer version of the server reads it: nothing is lost. */
  newer: boolean;
}

/** An appointment that cannot be read: damaged, or written by a newer version of the server. It can be destroyed. */
export interface UnreadableView {
  /** An opaque identifier, base64url. */
  appointment: string;
  /** Whether a newer version of the server reads it: nothing is lost. */
  newer: boolean;
}

/** The versions of the protocol that a server speaks, both included. */
export interface Versions {
  oldest: number;
  newest: number;
}

export interface WaitingPhotograph {
  /** Of the practitioner's photograph, on this server; null for none. */
  address: string | null;
}

/** The patient's link, as for joining, and the language of the page. */
export interface WaitingRequest {
  link: string;
  language: Language;
}

export interface WaitingSentence {
  /** What the practitioner says to whoever waits; null for nothing. */
  text: string | null;
}

/** Somebody in the waiting room; who has no microphone cannot be heard when called in. */
export interface WaitingView {
  /** An opaque identifier, base64url. */
  appointment: string;
  /** An opaque identifier, base64url. */
  participant: string;
  role: Role;
  /** Milliseconds since the Unix epoch. */
  since: number;
  connected: boolean;
  indicators: Indicators;
}

/** Whose desk: that of a practitioner for whom an assistant works; without one it is one's own. */
export interface Watch {
  practitioner?: string | null;
}

/** The first event after a connection whose client named its capabilities. */
export interface Welcome {
  /** Spoken on this connection: the one that the client asked for. */
  version: number;
  supported: Versions;
  /** That client and server both have. */
  capabilities: string[];
}

/** What a client receives: a stable code, who can mend it, and a sentence in English. */
export interface WireError {
  code: string;
  category: Category;
  message: string;
  /** Seconds after which it may be tried again. */
  retry_after?: number;
  /** With `invalid`: the field or parameter that is wrong, as `starts_at` or `lines.0.mid`. */
  field?: string;
  /** With `sdp_invalid`: why; `message` is its sentence. */
  reason?: string;
  /** With `doubtful`: nobody can come to it any more (`past`), it overlaps another (`double`), a text seems to hold a citizen number (`citizen-…`) or words of somebody's illness (`medical`). */
  doubts?: Doubt[];
  /** With `conflict` of an appointment: what it is now. */
  current?: Current;
  /** With `factor_needed`: what to send with the code, within five minutes. With `factor_set_up_needed` in a browser: what `/sign-in/set-up` takes. */
  challenge?: string;
  /** With `factor_needed`: what is taken. A code of an app has six digits. */
  factors?: FactorKind[];
  /** With `version_unsupported`: what the server speaks. */
  supported?: Versions;
}
