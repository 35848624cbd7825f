/** What the connection is like, sampled every 2 s from the browser's own statistics. */

import { STAGE } from './media.js';

/** @import {MediaConnection} from './media.js' */

/**
 * @typedef {object} Quality
 * @property {'good' | 'fair' | 'poor'} grade
 * @property {number | null} rtt_ms
 * @property {number | null} loss_permille the worse of both directions, in this interval
 * @property {number | null} sent_kbps
 * @property {number | null} received_kbps
 * @property {number | null} available_kbps what the browser thinks the uplink can carry
 * @property {'host' | 'srflx' | 'prflx' | 'relay' | 'unknown'} candidate
 * @property {'udp' | 'tcp' | 'unknown'} transport
 * @property {Record<number, number>} slot_levels audio level 0…1 by slot
 * @property {Record<number, number>} slot_frames decoded frames of the picture by slot, since the connection began
 * @property {number} microphone audio level 0…1
 * @property {number} frames_decoded since the connection began
 */

/** @typedef {{at: number, sent: number, received: number, packets: number, lost: number}} Totals */

const FAIR = { rtt: 250, loss: 20 };
const POOR = { rtt: 500, loss: 80 };

/** One connection's sampler; ask it at any interval. */
export class QualitySampler {
  #connection;
  /** @type {Totals | null} */
  #last = null;

  /** @param {MediaConnection} connection */
  constructor(connection) {
    this.#connection = connection;
  }

  /** @returns {Promise<Quality>} */
  async sample() {
    /** @type {any[]} */
    const reports = [...(await this.#connection.pc.getStats()).values()];
    const inbound = reports.filter(({ type }) => type === 'inbound-rtp');
    const pair = selectedPair(reports);
    // Most connections never need it.
    if (sum(inbound, 'freezeCount') > 0) (await import('./patience.js')).wait(this.#connection.pc, inbound);
    const totals = {
      at: performance.now(),
      sent: pair?.bytesSent ?? 0,
      received: pair?.bytesReceived ?? 0,
      packets: sum(inbound, 'packetsReceived'),
      lost: sum(inbound, 'packetsLost'),
    };
    const last = this.#last;
    this.#last = totals;
    const rtt = pair?.currentRoundTripTime === undefined ? null : Math.round(pair.currentRoundTripTime * 1000);
    const loss = worst(inboundLoss(last, totals), outboundLoss(reports));
    return {
      grade: gradeOf(rtt, loss),
      rtt_ms: rtt,
      loss_permille: loss,
      sent_kbps: rate(last, totals, 'sent'),
      received_kbps: rate(last, totals, 'received'),
      available_kbps: pair?.availableOutgoingBitrate ? Math.round(pair.availableOutgoingBitrate / 1000) : null,
      ...path(reports, pair),
      slot_levels: this.#bySlot(inbound, 'audio', 'audioLevel'),
      slot_frames: this.#bySlot(inbound, 'video', 'framesDecoded'),
      microphone: reports.find(({ type, kind }) => type === 'media-source' && kind === 'audio')?.audioLevel ?? 0,
      frames_decoded: sum(inbound, 'framesDecoded'),
    };
  }

  /** @param {any[]} inbound @param {'audio' | 'video'} kind @param {string} figure @returns {Record<number, number>} */
  #bySlot(inbound, kind, figure) {
    /** @type {Record<number, number>} */
    const figures = {};
    for (const place of this.#connection.places) {
      const line = place[kind];
      const report = inbound.find(({ mid }) => line !== null && mid === line.mid);
      if (report && place.slot !== STAGE) figures[place.slot] = report[figure] ?? 0;
    }
    return figures;
  }
}

/** @param {any[]} reports */
function selectedPair(reports) {
  const transport = reports.find(({ type }) => type === 'transport');
  const pairs = reports.filter(({ type }) => type === 'candidate-pair');
  return pairs.find(({ id }) => id === transport?.selectedCandidatePairId) ?? pairs.find(({ nominated, selected }) => selected ?? nominated);
}

/** @param {any[]} reports @param {any} pair @returns {Pick<Quality, 'candidate' | 'transport'>} */
function path(reports, pair) {
  const local = reports.find(({ id }) => id === pair?.localCandidateId);
  return { candidate: local?.candidateType ?? 'unknown', transport: local?.protocol ?? 'unknown' };
}

/** @param {any[]} reports @param {string} field */
const sum = (reports, field) => reports.reduce((total, report) => total + (report[field] ?? 0), 0);

/** @param {Totals | null} last @param {Totals} now */
function inboundLoss(last, now) {
  const lost = now.lost - (last?.lost ?? 0);
  const expected = now.packets - (last?.packets ?? 0) + lost;
  return expected > 0 ? clamp(Math.round((lost * 1000) / expected)) : null;
}

/** @param {any[]} reports */
function outboundLoss(reports) {
  const fractions = reports.filter(({ type }) => type === 'remote-inbound-rtp').map(({ fractionLost }) => fractionLost ?? 0);
  return fractions.length ? clamp(Math.round(Math.max(...fractions) * 1000)) : null;
}

/** @param {number} permille */
const clamp = (permille) => Math.min(Math.max(permille, 0), 1000);

/** @param {number | null} left @param {number | null} right */
const worst = (left, right) => (left === null ? right : right === null ? left : Math.max(left, right));

/** @param {Totals | null} last @param {Totals} now @param {'sent' | 'received'} field */
function rate(last, now, field) {
  if (last === null || now.at <= last.at) return null;
  return Math.max(0, Math.round(((now[field] - last[field]) * 8) / (now.at - last.at)));
}

/** @param {number | null} rtt @param {number | null} loss @returns {Quality['grade']} */
function gradeOf(rtt, loss) {
  if ((rtt ?? 0) > POOR.rtt || (loss ?? 0) > POOR.loss) return 'poor';
  return (rtt ?? 0) > FAIR.rtt || (loss ?? 0) > FAIR.loss ? 'fair' : 'good';
}
