// A field for a file of rows: chosen, read here to look at, and handed in once, however often the form is sent.

import { upload } from "./api.js";
import { announce, element, show } from "./dom.js";
import { field, input, setError } from "./fields.js";
import { readRows } from "./rows.js";
import { count, counted } from "./words.js";

export class FileField {
  /** `param` is the part of the request that the file's id goes to; `changed` is told when there are other rows. */
  constructor(label, { param, hint, required = false, changed }) {
    this.param = param;
    this.changed = changed;
    this.data = null;
    this.control = input("file", {
      accept: ".csv,.jsonl",
      required,
      onchange: () => this.choose(this.control.files[0]),
    });
    this.told = element("p.told", {});
    this.node = field(label, this.control, { hint, params: [param] });
    this.node.append(this.told);
  }

  /** Take a file, or none. */
  async choose(file) {
    this.data = null;
    this.id = null;
    setError(this.node, "");
    show(this.told, "");
    try {
      if (file) this.data = await readRows(file);
    } catch (error) {
      setError(this.node, `${error.message}.`);
      announce(error.message, { urgent: true });
    }
    if (this.data) show(this.told, element("strong", {}, this.data.name), this.summary());
    this.changed();
  }

  summary() {
    const { rows, fields, cut } = this.data;
    const number = cut ? `more than ${count(rows.length)} rows` : counted(rows.length, "row");
    return `: ${number} with ${fields.join(", ")}.${cut ? " Only the beginning is looked at here." : ""}`;
  }

  /** A file that is put in by the page and not by its reader: { name, blob }. */
  async fill({ name, blob }) {
    const held = new DataTransfer();
    held.items.add(new File([blob], name));
    this.control.files = held.files;
    await this.choose(this.control.files[0]);
  }

  /** The id of the file at the service; null where none was chosen. */
  async handIn() {
    if (!this.data) return null;
    this.id ??= (await upload(this.data.name, this.data.blob)).id;
    return this.id;
  }
}
