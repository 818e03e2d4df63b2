// What happened to a job, the latest first; generations are told in one line that counts them.

import { element, show } from "./dom.js";
import { soon } from "./polling.js";
import { atTime } from "./words.js";

const MOST = 200; // lines

const STATES = {
  live: "Live: new events appear by themselves.",
  waiting: "The connection is lost; trying again.",
  ended: "The job has ended; there are no more events.",
};

export class Happenings {
  constructor() {
    this.events = [];
    this.told = element("p.soft", {}, "Connecting …");
    this.list = element("ol.events", { tabindex: "0", "aria-label": "Events, the latest first" });
    this.node = element("div", {}, this.told, this.list);
    this.redraw = soon(() => this.draw(), { after: 200 });
  }

  /** Where the stream stands: "live", "waiting" or "ended". */
  state(state) {
    show(this.told, STATES[state]);
  }

  /** An event has come. A generation takes the place of the one before it. */
  add(event) {
    const before = this.events[0];
    if (event.type === "generation" && before?.type === "generation") this.events[0] = event;
    else this.events.unshift(event);
    this.events.length = Math.min(this.events.length, MOST);
    this.redraw();
  }

  draw() {
    show(
      this.list,
      this.events.map(({ type, message, created_at }) =>
        element(
          "li",
          {},
          element("span", {}, element("b", {}, type.replaceAll("_", " ")), ` ${message}`),
          element("time", {}, atTime(created_at)),
        ),
      ),
    );
  }
}
