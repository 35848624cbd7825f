import { el, say, slot } from './build.js';
import { plural, t } from './language.js';

/** @import {Consult} from '../client/consult.js' */
/** @import {ParticipantView} from '../../types/wire.js' */

/** Everybody else who is in, the person that the consult is with first. @param {Consult} consult @returns {ParticipantView[]} */
export function present({ room, role }) {
  const with_ = role === 'practitioner' ? 'patient' : 'practitioner';
  const others = (room?.others ?? []).filter(({ state }) => state === 'admitted');
  return [...others.filter((one) => one.role === with_), ...others.filter((one) => one.role !== with_)];
}

/**
 * Who holds the keys, the digits to compare, and what is to be said about them.
 * @param {HTMLElement} root
 * @param {Consult} consult
 * @param {(person: ParticipantView) => string} nameOf of the person that the consult is with, and in a group of everybody
 */
export function showTrust(root, consult, nameOf) {
  const { code, people, again, withheld } = consult;
  slot(root, 'code').hidden = !code;
  slot(root, 'big-code').hidden = !code;
  const halves = code ? [code.slice(0, 3), code.slice(3)] : [];
  for (const place of [slot(root, 'verification-code'), slot(root, 'big-code')]) {
    if (place.textContent === (code ?? '')) continue;
    place.replaceChildren(...halves.map((half) => el('span', { textContent: half })));
  }
  const others = present(consult);
  const group = root.hasAttribute('data-group');
  const names = others.map((one, at) => (at === 0 || group ? nameOf(one) : t(`call.person.${one.role}`)));
  for (const place of root.querySelectorAll('[data-slot="people"]')) {
    if (place instanceof HTMLElement) say(place, code ? plural('call.people', people) : null);
  }
  say(slot(root, 'also'), names.length > 1 && !group ? t('call.also', { people: names.slice(1).join(', ') }) : null);
  say(slot(root, 'holders'), code ? t('call.holders', { people: [t('call.person.me'), ...names].join(', ') }) : null);

  const marked = Boolean(code) && (again !== null || withheld);
  root.querySelector('.trust')?.classList.toggle('amber', marked);
  slot(root, 'compare-mark').hidden = !marked;
  slot(root, 'compare').hidden = !code || again === null;
  if (code && again) say(slot(root, 'compare-words'), t(`call.compare.${again}`));
  say(slot(root, 'withheld'), withheld ? t('call.withheld') : null);
}

/** What cannot be sent or shown here, in words for all; empty if nothing. @param {Consult} consult @param {(participant: string) => string} nameOf */
export function lacking(consult, nameOf) {
  if (consult.room?.me.unusable?.length) return t('call.unusable.mine');
  const all = present(consult).flatMap(({ participant, unusable = [] }) => unusable.map((what) => ({ what, name: nameOf(participant) })));
  return all.map(({ what, name }) => t(`call.unusable.${what}`, { name })).join(' ');
}

/** How the line is, and which way media take. @param {HTMLElement} root @param {{grade: string, transport: string, candidate: string}} quality */
export function showWay(root, { grade, transport, candidate }) {
  slot(root, 'line').hidden = false;
  slot(root, 'line-words').textContent = t(`line.${grade}`);
  slot(root, 'way').textContent = t(candidate === 'relay' ? 'trust.way.turn' : transport === 'tcp' ? 'trust.way.tcp' : 'trust.way.relay');
}
