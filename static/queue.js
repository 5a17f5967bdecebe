/* The keys of the review queue. Each presses a button or link of the page; without them all of it works. */
(function () {
  "use strict";

  var OFF = "queue-keys-off";
  var form = document.getElementById("rows");
  var panel = document.getElementById("case");
  var rows = form ? Array.prototype.slice.call(form.querySelectorAll("tbody tr")) : [];

  function each(selector, act) {
    Array.prototype.forEach.call(document.querySelectorAll(selector), act);
  }

  function press(element) {
    if (element) { element.click(); }
  }

  /* Switching off: remembered by this browser alone, and never sent. */

  function areOff() {
    try { return localStorage.getItem(OFF) === "yes"; } catch (error) { return false; }
  }

  function turn(off) {
    try {
      if (off) { localStorage.setItem(OFF, "yes"); } else { localStorage.removeItem(OFF); }
    } catch (error) { /* Where nothing may be kept, they stay on. */ }
    tell();
  }

  function tell() {
    var now = areOff() ? "off" : "on";
    each("[data-keys]", function (element) {
      element.hidden = element.getAttribute("data-keys") !== now;
    });
  }

  /* Rows */

  function box(row) { return row.querySelector("input[type=checkbox]"); }

  function at() {
    var active = document.activeElement;
    return rows.filter(function (row) { return row.contains(active); })[0];
  }

  function opened() {
    return rows.filter(function (row) { return row.hasAttribute("aria-current"); })[0];
  }

  function move(by) {
    var from = rows.indexOf(at() || opened());
    var row = rows[from < 0 ? 0 : from + by];
    if (row) { row.querySelector("th a").focus(); }
  }

  function chosen() {
    return rows.filter(function (row) { return box(row) && box(row).checked; }).length;
  }

  function count() {
    each("[data-chosen]", function (element) { element.textContent = chosen(); });
  }

  function choose() {
    var row = at() || opened();
    if (row) { press(box(row)); }
  }

  /* What is chosen; or else the case that is open, unless the focus is at another one; or that. */
  function decide(key) {
    var row = at(), button = "[data-key=" + key + "]";
    if (!chosen() && panel && (!row || row === opened())) {
      press(panel.querySelector(button));
    } else if (form && (chosen() || row)) {
      if (!chosen()) { press(box(row)); }
      if (chosen()) { press(form.querySelector(button)); }
    }
  }

  function help() {
    var keys = document.getElementById("keys");
    keys.open = !keys.open;
    keys.firstElementChild.focus();
  }

  var acts = {
    j: function () { move(1); },
    k: function () { move(-1); },
    x: choose,
    a: function () { decide("a"); },
    q: function () { decide("q"); },
    d: function () { decide("d"); },
    z: function () { press(document.querySelector("[data-undo] button")); },
    "?": help
  };

  /* On a keyboard of another script, the key at the same place. */
  function named(event) {
    return /^[a-z?]$/i.test(event.key) ? event.key.toLowerCase() : (event.code || "").replace(/^Key/, "").toLowerCase();
  }

  document.addEventListener("keydown", function (event) {
    var isField = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
    if (isField || event.ctrlKey || event.metaKey || event.altKey || event.repeat && event.key !== "j" && event.key !== "k") { return; }
    var act = acts[named(event)];
    if (act && !areOff() && document.getElementById("keys")) {
      event.preventDefault();
      act();
    }
  });
  each("button[data-keys]", function (button) {
    button.addEventListener("click", function () {
      turn(!areOff());
      each("button[data-keys]:not([hidden])", function (other) { other.focus(); });
    });
  });
  document.addEventListener("change", count);
  window.addEventListener("pageshow", count);
  tell();
})();
