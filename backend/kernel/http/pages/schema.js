// JSON Schema as a tree of fields, and as an example value.

import { h, inline } from "./dom.js";

const KINDS = { string: "文本", integer: "整数", number: "数字", boolean: "是/否", array: "列表", object: "对象", null: "空" };

export class Schemas {
  constructor(description) {
    this.components = description.components?.schemas ?? {};
    this.marksRequired = true; // in what is sent; in what comes back it says nothing
  }

  resolve(schema) {
    const name = this.nameOf(schema);
    if (!name) return schema ?? {};
    const { $ref: _, ...beside } = schema;
    return { ...this.components[name], ...beside };
  }

  nameOf(schema) {
    return schema?.$ref?.split("/").pop();
  }

  // `anyOf: [X, null]` is an X that may be null.
  unwrap(schema) {
    const full = this.resolve(schema);
    const options = full.anyOf ?? full.oneOf;
    if (!options) return { schema: full, name: this.nameOf(schema), nullable: false, options: null };
    const real = options.filter((option) => option.type !== "null");
    const nullable = real.length < options.length;
    if (real.length !== 1) return { schema: full, name: this.nameOf(schema), nullable, options: real };
    const { anyOf: _, oneOf: __, ...beside } = full;
    return { schema: { ...this.resolve(real[0]), ...beside }, name: this.nameOf(real[0]), nullable, options: null };
  }

  kind(schema) {
    const { schema: full, name, nullable, options } = this.unwrap(schema);
    const suffix = nullable ? "，可为 null" : "";
    if (options) return options.map((option) => this.kind(option)).join(" 或 ") + suffix;
    if (full.enum) return full.enum.map((value) => JSON.stringify(value)).join(" | ") + suffix;
    if ("const" in full) return JSON.stringify(full.const) + suffix;
    if (full.type === "array") return `${this.kind(full.items ?? {})} 的列表${suffix}`;
    const types = [].concat(full.type ?? []).map((type) => KINDS[type] ?? type);
    return (name ?? (types.join(" 或 ") || "任意 JSON")) + suffix;
  }

  limits(schema) {
    const { schema: full } = this.unwrap(schema);
    const words = [];
    const range = (low, high, unit) => {
      if (low === undefined && high === undefined) return;
      if (low !== undefined && high !== undefined) words.push(low === high ? `${low}${unit}` : `${low}–${high}${unit}`);
      else words.push(low !== undefined ? `至少 ${low}${unit}` : `至多 ${high}${unit}`);
    };
    range(full.minLength, full.maxLength, " 个字符");
    range(full.minItems, full.maxItems, " 项");
    range(full.minimum, full.maximum, "");
    if (full.exclusiveMinimum !== undefined) words.push(`大于 ${full.exclusiveMinimum}`);
    if (full.exclusiveMaximum !== undefined) words.push(`小于 ${full.exclusiveMaximum}`);
    if (full.pattern) words.push(`格式 ${full.pattern}`);
    if (full.format) words.push(full.format);
    if (full.default !== undefined && full.default !== null) words.push(`默认 ${JSON.stringify(full.default)}`);
    return words;
  }

  tree(schema, seen = []) {
    const { schema: full, name, options } = this.unwrap(schema);
    if (options) {
      const branches = options.filter((option) => this.hasFields(option));
      if (!branches.length) return null;
      return h("ul", { class: "tree" }, branches.map((option) => this.row(this.kind(option), option, false, seen)));
    }
    if (full.type === "array") return this.tree(full.items ?? {}, seen);
    if (name && seen.includes(name)) return null;
    const path = name ? [...seen, name] : seen;
    const required = full.required ?? [];
    const rows = Object.entries(full.properties ?? {}).map(([field, inner]) =>
      this.row(field, inner, required.includes(field), path));
    if (typeof full.additionalProperties === "object" && this.hasFields(full.additionalProperties)) {
      rows.push(this.row("（每个键）", full.additionalProperties, false, path));
    }
    return rows.length ? h("ul", { class: "tree" }, rows) : null;
  }

  hasFields(schema) {
    const { schema: full, options } = this.unwrap(schema);
    if (options) return options.some((option) => this.hasFields(option));
    if (full.type === "array") return this.hasFields(full.items ?? {});
    return Object.keys(full.properties ?? {}).length > 0;
  }

  row(field, schema, required, seen) {
    const { schema: full } = this.unwrap(schema);
    const head = h("span", { class: "field" },
      h("span", { class: "name" }, field),
      h("span", { class: "kind" }, [this.kind(schema), ...this.limits(schema)].join(" · ")),
      required && this.marksRequired && h("span", { class: "must" }, "必填"));
    const note = full.description && h("p", { class: "note" }, inline(full.description));
    const inner = this.tree(schema, seen);
    if (!inner) return h("li", {}, head, note);
    return h("li", {}, h("details", { open: seen.length < 2 }, h("summary", {}, head), note, inner));
  }

  example(schema, depth = 0, field = "") {
    const { schema: full, nullable, options } = this.unwrap(schema);
    if (full.examples?.length) return full.examples[0];
    if (full.example !== undefined) return full.example;
    if (options) return this.example(options[0], depth, field);
    if ("const" in full) return full.const;
    if (full.enum) return full.enum[0];
    if (full.default !== undefined && full.default !== null && typeof full.default !== "object") return full.default;
    if (nullable && depth > 2) return null;
    switch ([].concat(full.type ?? [])[0]) {
      case "object":
        if (depth > 5) return {};
        return Object.fromEntries(Object.entries(full.properties ?? {})
          .map(([name, inner]) => [name, this.example(inner, depth + 1, name)]));
      case "array":
        return depth > 5 ? [] : [this.example(full.items ?? {}, depth + 1, field)];
      case "integer":
        return Math.min(Math.max(full.minimum ?? 0, field.endsWith("_fen") ? 1990 : 1), full.maximum ?? Infinity);
      case "number":
        return full.minimum ?? 0;
      case "boolean":
        return true;
      case "string":
        if (full.format === "date-time") return "2026-11-22T08:30:00Z";
        if (full.format === "date") return "2026-11-22";
        return field || "文本";
      default:
        return null;
    }
  }
}
