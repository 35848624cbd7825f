import { attendAppointment, inviteAgain, reopenAppointment } from '../client/rest.js';
import { NewAppointment, askToDestroy } from './appointment.js';
import { slot } from './build.js';
import { Day } from './day.js';
import { explain, t } from './language.js';
import { Undo } from './undo.js';

/** @import {AppointmentView} from '../../types/wire.js' */

/** What is planned, and all that is done with it at the desk: made, corrected, cancelled, destroyed, and taken back. */
export class Agenda {
  /**
   * @param {HTMLElement} root
   * @param {object} desk
   * @param {(words: string) => void} desk.said what was done, or could not be
   * @param {(one: AppointmentView) => void} desk.technical
   * @param {(one: AppointmentView) => void} desk.handOut
   * @param {(one: AppointmentView) => void} desk.guests
   * @param {() => string | null} desk.running the appointment in consult
   * @param {() => void} desk.reopened
   */
  constructor(root, { said, technical, handOut, guests, running, reopened }) {
    this.root = root;
    this.said = said;
    this.reopened = reopened;
    this.day = new Day(root, {
      destroy: (one, coming) => this.#ask(one, coming),
      keep: (one) => this.undo.keep(one.appointment),
      correct: (one) => this.new.correct(one, one.appointment === running()),
      reopen: (one) => this.reopen(one.appointment),
      attend: (one, attended) => this.#attend(one, attended),
      invite: (one, newLink) => this.#invite(one, newLink),
      create: (day, time) => this.new.open(day, time),
      technical,
      handOut,
      guests,
    });
    this.undo = new Undo(root, (words) => {
      slot(root, 'new', HTMLDialogElement).close();
      this.#said(words);
    });
    this.new = new NewAppointment(
      slot(root, 'new', HTMLDialogElement),
      (all) => this.#made(all),
      (one, before) => this.#corrected(one, before),
      () => this.day.known.value.values(),
    );
  }

  async reload() {
    try {
      await this.day.load();
      this.new.weigh();
    } catch {
      // The day says itself that it could not be read.
    }
  }

  /** @param {number} steps days, or weeks where a week is shown; 0 is today */
  move(steps) {
    this.day.move(steps).catch(() => {});
  }

  /** It ended too early: the patient can come again with the same link. @param {string} appointment */
  async reopen(appointment) {
    try {
      await reopenAppointment(appointment);
      this.reopened();
      this.#said(t('desk.reopened'));
    } catch (error) {
      this.#said(explain(error));
    }
  }

  /** @param {AppointmentView} one @param {'held' | 'missed'} attended */
  async #attend(one, attended) {
    try {
      this.day.put(await attendAppointment(one.appointment, attended));
      this.#said(t(`attend.${attended}`, { name: one.patient }));
    } catch (error) {
      this.#said(explain(error));
    }
  }

  /** Tell a patient again. @param {AppointmentView} one @param {boolean} newLink */
  async #invite(one, newLink) {
    try {
      this.day.put(await inviteAgain(one.appointment, newLink));
      this.#said(t(newLink ? 'told.new-link.done' : 'told.again.done', { name: one.patient }));
    } catch (error) {
      this.#said(explain(error));
    }
  }

  /** @param {Pick<AppointmentView, 'appointment' | 'patient' | 'told'>} one @param {boolean} coming */
  #ask(one, coming) {
    askToDestroy(slot(this.root, 'destroy', HTMLDialogElement), one, coming, (cancelled) => {
      if (!cancelled) return this.#said(t('destroy.done'));
      this.day.put(cancelled);
      this.undo.cancelled(cancelled);
      // The button that was pressed is gone; what takes it back stands where the other was.
      /** @type {HTMLElement | null} */ (this.root.querySelector(`[data-appointment="${cancelled.appointment}"] .keeps`))?.focus();
      this.reload();
    });
  }

  /** What was planned stands before the eyes, whichever day was shown. @param {AppointmentView[]} all of a series */
  #made(all) {
    this.undo.made(all);
    if (all[0]) this.day.turnTo(all[0]);
    this.reload();
  }

  /** @param {AppointmentView} one @param {AppointmentView} before */
  #corrected(one, before) {
    this.day.put(one);
    this.undo.corrected(one, before);
    this.reload();
  }

  /** @param {string} words */
  #said(words) {
    this.said(words);
    this.reload();
  }
}
