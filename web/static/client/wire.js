/**
 * The bodies on the wire, as types only (`signaling/protocol/` is their registry). Nothing here runs.
 *
 * @typedef {'practitioner' | 'patient' | 'guest'} Role
 * @typedef {'microphone' | 'camera' | 'screen'} Source
 * @typedef {'new' | 'connecting' | 'connected' | 'reconnecting' | 'failed'} MediaState
 * @typedef {'soon' | 'five-minutes' | 'fifteen-minutes' | 'check-sound'} HoldMessage
 * @typedef {'ended' | 'left' | 'cancelled' | 'expired' | 'removed'} EndReason
 * @typedef {{version: number, supported: {oldest: number, newest: number}, capabilities: string[]}} Welcome
 * @typedef {{code: 'token_invalid' | 'token_reused'}} SignedOut
 *
 * @typedef {{microphone: boolean, camera: boolean, screen: boolean}} Indicators
 * @typedef {'chat' | 'screen'} Feature
 * @typedef {'microphone' | 'camera' | 'screen' | 'hearing' | 'seeing'} Unusable
 * @typedef {{participant: string, role: Role, state: 'waiting' | 'admitted', connected: boolean, media: MediaState,
 *   indicators: Indicators, unusable: Unusable[], guest?: string, host?: boolean}} ParticipantView
 * @typedef {{urls: string[], username: string | null, credential: string | null}} IceServer
 * @typedef {{fence: number, ready: boolean, slots: number, ice_servers: IceServer[], simulcast?: boolean}} MediaView
 * @typedef {{participant: string, role: Role}} KeyMember
 * @typedef {{epoch: number, members: KeyMember[]}} KeysView
 * @typedef {{version: number, appointment: string, me: ParticipantView, others: ParticipantView[],
 *   media: MediaView | null, keys: KeysView | null, resume: string, barred?: Feature[], plan?: number,
 *   written?: string, held?: boolean, capacity?: number, locked?: boolean}} RoomView
 * @typedef {'works' | 'silent' | 'off' | 'denied' | 'busy' | 'missing' | 'insecure'} Found
 * @typedef {'green' | 'amber' | 'red'} Grade
 * @typedef {{microphone: Found, camera: Found}} Check
 * @typedef {{grade: Grade, device: 'microphone' | 'camera' | null, found: Found | null}} CheckView
 * @typedef {{appointment: string, participant: string, role: Role, since: number, connected: boolean,
 *   indicators: Indicators, check?: CheckView, written?: string, said?: string, held?: boolean, number?: number,
 *   guest?: string}} WaitingView
 * @typedef {'not-now' | 'call-us' | 'new-time'} DeclineMessage
 * @typedef {{message: DeclineMessage | null, text: string | null}} Declined
 * @typedef {'open' | 'away'} Status
 * @typedef {{number: number, before: number, least: number | null, most: number | null}} QueueView
 * @typedef {{status: Status, delay: number | null, overrun: boolean, queue?: QueueView}} AnnouncedView
 * @typedef {{version: number, practitioner?: string, waiting: WaitingView[], in_consult: string | null,
 *   announced: AnnouncedView | null}} DeskView
 * @typedef {{slot: number, participant: string, paused?: boolean}} SlotView
 * @typedef {{slot: number, height: number, pinned?: boolean}} SlotSize
 * @typedef {{participant: string, speaking: boolean}} Speaks
 * @typedef {{mid: string, use: Source | 'slot' | 'stage', slot?: number}} Line
 * @typedef {{fence: number, version: number, slots: SlotView[]}} Slots
 * @typedef {{line: number, mid: string | null, reason: string}} RefusedLine
 * @typedef {Slots & {sdp: string, refused: RefusedLine[]}} Answer
 *
 * @typedef {{sender: string, epoch: number, version: number, commitment: string}} KeyCommitted
 * @typedef {{sender: string, epoch: number, key: string, nonce: string, last: string[], withheld: number}} KeyRevealed
 * @typedef {{sender: string, epoch: number, wrapped: string}} KeyWrapped
 *
 * @typedef {'nl' | 'en' | 'de' | 'fr'} Language
 * @typedef {'end' | '24h' | '7d' | '30d' | '90d' | 'manual'} Retention
 * @typedef {{challenge: string, bytes: string, party: string}} PasskeyOptions
 * @typedef {{key: string | null}} PushOffer
 * @typedef {{told: boolean}} PushState
 * @typedef {{challenge: string, id: string, client_data: string, authenticator_data: string, signature: string, user_handle: string}} PasskeyAssertion
 * @typedef {{practitioner: string, display_name: string, mail: string, language: Language, retention: Retention, second_factor_by?: string,
 *   sights_unseen?: number, assists?: boolean, sends?: boolean, texts?: boolean}} Me
 * @typedef {{retention: Retention, due_within_minute: number, cap?: Retention, cap_by?: string}} RetentionSet
 * @typedef {{destroyed: number, waiting: number}} AllDestroyed
 * @typedef {AllDestroyed & {receipt: Receipt | null}} AccountClosed
 * @typedef {'cancel' | 'move'} Wish
 * @typedef {{practitioner_name: string, starts_at: string, minutes: number, language: Language,
 *   window: 'early' | 'open' | 'late' | 'over', wish: Wish | null}} LinkedAppointment
 * @typedef {{appointment: string, version: number, patient: string, starts_at: string, minutes: number, language: Language,
 *   state: 'planned' | 'ended', destroyed_at: string | null, wish: Wish | null, cancelled: boolean,
 *   attended: 'held' | 'missed' | null, reopens: boolean, link: string, mail?: string, phone?: string,
 *   told?: ToldView[], code?: boolean, guests?: GuestView[]}} AppointmentView
 * @typedef {'guest' | 'guardian' | 'interpreter' | 'colleague'} GuestRole
 * @typedef {{guest: string, name: string, role: GuestRole, language: Language, link: string, mail?: string, phone?: string,
 *   told?: ToldView[]}} GuestView
 * @typedef {{name: string, role: GuestRole}} InvitedGuest
 * @typedef {{name: string, role: GuestRole, language?: Language, mail?: string | null, phone?: string | null}} NewGuest
 * @typedef {{way: 'mail' | 'sms', word: 'invitation' | 'changed' | 'cancelled' | 'reminder',
 *   state: 'queued' | 'sent' | 'opened' | 'refused' | 'late', at: string | null, reason: string | null}} ToldView
 * @typedef {{seen: number, patient?: string | null, starts_at?: string | null, minutes?: number | null, language?: Language | null,
 *   mail?: string | null, phone?: string | null, code?: boolean | null, anyway?: boolean}} Correction
 * @typedef {{size: number, path: string}} QrCode
 * @typedef {{appointment: string, text: string, qr: QrCode}} Handout
 * @typedef {{starts_at: string, minutes: number}} Taken
 * @typedef {{name: string, minutes: number, language: Language}} PresetView
 * @typedef {{version: number, patient: string, starts_at: string, minutes: number, language: string}} Current
 * @typedef {{appointments: AppointmentView[], unreadable: {appointment: string, newer: boolean}[]}} Agenda
 * @typedef {{sentence: string, language: Language, text: string}} SentenceView
 * @typedef {{sentences: SentenceView[], unreadable: {sentence: string, newer: boolean}[]}} SentenceList
 * @typedef {{receipt: string, destroyed_at: string, generation: number}} Receipt
 * @typedef {{role: 'practitioner' | 'patient' | 'guest' | 'unknown', first: string, last: string,
 *   connection: 'good' | 'weak' | 'bad' | 'failed' | 'unknown', sound: 'good' | 'silent' | 'unknown',
 *   picture: 'good' | 'stopped' | 'unknown', network: 'direct' | 'relayed' | 'unknown', udp: boolean | null,
 *   loss_permille: number | null, rtt_ms: number | null, reconnects: number, browser: string | null,
 *   device: 'phone' | 'tablet' | 'computer' | 'unknown'}} PersonCheck
 * @typedef {{appointment: string, hours: number, people: PersonCheck[]}} TechnicalCheck
 * @typedef {{appointment: string, code: string, expires_in: number}} SupportCode
 * @typedef {{access_token: string, expires_in: number}} Ticket
 * @typedef {{message_bytes: number, chat_bytes: number, sdp_bytes: number, body_bytes: number,
 *   events_per_second: number, events_burst: number, authenticate_within: number, seat_seconds: number,
 *   replay_seconds: number, once_seconds: number}} Bounds
 * @typedef {{supported: {oldest: number, newest: number}, capabilities: string[]}} Protocol
 * @typedef {{access_token: string, expires_in: number, appointment: string, role: Role, protocol: Protocol,
 *   limits: Bounds, ice_servers: IceServer[], refresh_token: string | null,
 *   refresh_expires_in: number | null}} Entrance
 * @typedef {Entrance & {role: 'patient' | 'guest', practitioner_name: string, starts_at: string,
 *   minutes: number, language: Language, window: 'early' | 'open' | 'late', opens_at: string, opens_in: number, closes_at: string,
 *   closes_in: number, wish: Wish | null, guest?: InvitedGuest}} Join
 */

export {};
