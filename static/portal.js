/* Enhancement only: every page is complete without it. */
(function () {
  "use strict";

  var root = document.documentElement;
  var language = root.lang || "en";
  var servedAt = root.getAttribute("data-now");
  var skew = servedAt ? Date.parse(servedAt) - Date.now() : 0;

  function each(selector, act) {
    Array.prototype.forEach.call(document.querySelectorAll(selector), act);
  }

  /* The reader's own region of the page's language: day and month come in the order they know. */
  function ownLocale() {
    var own = (navigator.languages || []).filter(function (name) {
      return name.split("-")[0] === language.split("-")[0] && name.indexOf("-") > 0;
    })[0];
    return own || (language === "en" ? "en-GB" : language);
  }

  /* Gregorian calendar and Latin digits: ar-SA would give Hijri dates, ar-EG other digits. */
  function showLocalTimes() {
    var zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    var format = new Intl.DateTimeFormat(ownLocale() + "-u-ca-gregory-nu-latn", {
      weekday: "long", day: "numeric", month: "long", year: "numeric",
      hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone
    });
    each("[data-local]", function (element) {
      var label = document.getElementById(element.getAttribute("data-zone"));
      element.textContent = format.format(new Date(element.getAttribute("data-local")));
      if (label) {
        label.textContent = label.getAttribute("data-label") + " (\u2068" + zone.replace(/_/g, " ") + "\u2069)";
      }
    });
  }

  function count(number, unit) {
    return new Intl.NumberFormat(language + "-u-nu-latn", {
      style: "unit", unit: unit, unitDisplay: "long"
    }).format(number);
  }

  function timeLeft(minutes) {
    var days = Math.floor(minutes / 1440);
    var hours = Math.floor(minutes % 1440 / 60);
    if (days) { return count(days, "day") + (hours ? " " + count(hours, "hour") : ""); }
    return hours ? count(hours, "hour") : count(minutes, "minute");
  }

  function showTimeLeft() {
    each("[data-left]", function (element) {
      var left = Date.parse(element.getAttribute("data-left")) - Date.now() - skew;
      element.textContent = timeLeft(Math.max(0, Math.floor(left / 60000)));
    });
  }

  /* What a key needs is fetched when somebody turns to its button: few have one, and all come by. */
  each("button[data-scripts]", function (button) {
    var isAsked = false, isThere = false, isPressed = false;

    function isDone() {
      var order = document.querySelector("script[data-allauth-onload]");
      window.allauth.webauthn.forms.loginForm(JSON.parse(order.textContent));
      isThere = true;
      if (isPressed) { button.click(); }
    }

    function fail() {
      isAsked = isPressed = false;
      document.getElementById("key_trouble").hidden = false;
    }

    function fetchScripts() {
      if (isAsked) { return; }
      isAsked = true;
      var addresses = button.getAttribute("data-scripts").split(" ");
      addresses.forEach(function (address, index) {
        var script = document.createElement("script");
        script.src = address;
        script.async = false;
        script.onerror = fail;
        if (index === addresses.length - 1) { script.onload = isDone; }
        document.head.appendChild(script);
      });
    }

    button.addEventListener("pointerenter", fetchScripts);
    button.addEventListener("focus", fetchScripts);
    button.addEventListener("click", function (event) {
      if (isThere) { return; }
      event.preventDefault();
      isPressed = true;
      fetchScripts();
    });
  });

  /* “Back” does not lead to the page that somebody left in haste. */
  each("[data-leave]", function (link) {
    link.addEventListener("click", function (event) {
      event.preventDefault();
      window.location.replace(link.href);
    });
  });

  /* What another answer leaves unasked is out of the way. */
  each("[data-when]", function (question) {
    function show() {
      var inputs = document.getElementsByName(question.getAttribute("data-when"));
      question.hidden = !Array.prototype.some.call(inputs, function (input) {
        var isChosen = input.tagName === "SELECT" || input.checked;
        return isChosen && input.value === question.getAttribute("data-chosen") && !input.closest("[hidden]");
      });
    }
    document.addEventListener("change", show);
    show();
  });

  try {
    showLocalTimes();
    showTimeLeft();
    setInterval(showTimeLeft, 60000);
  } catch (error) {
    /* An old browser: the server's words stand. */
  }
})();

/* What is typed and not sent: kept in this tab until the server has it, and a draft by the server while somebody writes. */
(function () {
  "use strict";

  var IDLE = 20000, SOON = 3000, FIRST_PAUSE = 5000, LONGEST_PAUSE = 300000, FEW = 60000;
  var PREFIX = "typed:";
  var NEVER = /^(hidden|password|file|submit|button|reset|image|fieldset|output)$/;

  function records(act) {
    Object.keys(sessionStorage).forEach(function (key) {
      if (key.indexOf(PREFIX) === 0) { act(key, JSON.parse(sessionStorage.getItem(key))); }
    });
  }

  function forget(is) {
    records(function (key, record) { if (is(record)) { sessionStorage.removeItem(key); } });
  }

  /* Boxes without a value of their own are declarations: those are ticked anew. */
  function answers(form) {
    return Array.prototype.filter.call(form.elements, function (field) {
      return field.name && !field.disabled && !NEVER.test(field.type) &&
        field.autocomplete !== "one-time-code" && !(field.type === "checkbox" && field.value === "on");
    });
  }

  function isChoice(field) { return field.type === "checkbox" || field.type === "radio"; }

  function read(form) {
    return answers(form).map(function (field) {
      return isChoice(field) ? [field.name, field.value, field.checked] : [field.name, "", field.value];
    });
  }

  function same(words) { return JSON.stringify(words).replace(/(\\[nrt]|\s)+/g, " "); }

  function putBack(form, words) {
    answers(form).forEach(function (field) {
      words.forEach(function (word) {
        if (word[0] !== field.name) { return; }
        if (!isChoice(field)) { field.value = word[2]; } else if (word[1] === field.value) { field.checked = word[2]; }
      });
    });
  }

  function add(form, name, value) {
    var field = form.elements[name] || form.appendChild(document.createElement("input"));
    field.type = "hidden";
    field.name = name;
    field.value = value;
  }

  /* One for all steps at an address: when the last one is answered well, all are. */
  function mark(place) {
    var sum = 0;
    for (var i = 0; i < place.length; i++) { sum = (sum * 31 + place.charCodeAt(i)) >>> 0; }
    return sum.toString(36);
  }

  function clock() {
    var language = document.documentElement.lang + "-u-nu-latn";
    return new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date());
  }

  function follow(form) {
    var place = location.pathname.replace(/^\/[a-z-]+/, "");
    var key = PREFIX + place + ":" + form.getAttribute("data-typed");
    var whose = form.getAttribute("data-whose");
    var status = form.querySelector("[data-saved]");
    var entry = form.elements.entry;
    var base = same(read(form)), saved = base;
    var id = mark(place);
    var isSent = false, pause = FIRST_PAUSE, idle, soon, running;

    function say(what) {
      var words = status ? status.getAttribute("data-" + what) : "";
      if (words) { status.textContent = words.replace("{}", clock()); }
    }

    function stash() {
      clearTimeout(soon);
      soon = 0;
      var words = read(form);
      if (same(words) === saved) { sessionStorage.removeItem(key); return; }
      sessionStorage.setItem(key, JSON.stringify({
        whose: whose, base: saved, words: words, id: id, entry: entry ? entry.value : ""
      }));
    }

    function again() {
      say("again");
      clearTimeout(idle);
      idle = setTimeout(save, pause);
      pause = Math.min(2 * pause, LONGEST_PAUSE);
    }

    function save() {
      var words = same(read(form)), body = new URLSearchParams();
      clearTimeout(idle);
      if (!form.hasAttribute("data-keep") || isSent || running || words === saved) { return; }
      new FormData(form).forEach(function (value, name) {
        if (typeof value === "string") { body.append(name, value); }
      });
      body.append("keep", "1");
      running = window.AbortController ? new AbortController() : {};
      fetch(location.href, {
        method: "POST", body: body, credentials: "same-origin", redirect: "manual", signal: running.signal,
        keepalive: body.toString().length < FEW
      }).then(function (answer) {
        running = null;
        if (answer.status === 204) {
          saved = words;
          pause = FIRST_PAUSE;
          say("saved");
          stash();
          if (same(read(form)) !== saved) { idle = setTimeout(save, IDLE); }
        } else if (answer.status >= 500) {
          again();
        } else if (answer.status !== 409) {
          say("refused");
        }
      }).catch(function () {
        running = null;
        if (!isSent) { again(); }
      });
    }

    function restore() {
      var record = JSON.parse(sessionStorage.getItem(key));
      forget(function (one) { return one.whose !== whose; });
      if (!record || record.whose !== whose) { return; }
      if (record.base !== base || (record.entry && document.body.innerHTML.indexOf(record.entry + "/") > 0)) {
        sessionStorage.removeItem(key);
        return;
      }
      putBack(form, record.words);
      if (record.entry && entry) { entry.value = record.entry; }
      if (same(read(form)) !== base) { idle = setTimeout(save, SOON); }
    }

    function typed() {
      soon = soon || setTimeout(stash, SOON);
      clearTimeout(idle);
      idle = setTimeout(save, IDLE);
    }

    function leave() {
      isSent = true;
      clearTimeout(idle);
      if (running && running.abort) { running.abort(); }
      stash();
    }

    restore();
    form.addEventListener("input", typed);
    form.addEventListener("change", typed);
    form.addEventListener("submit", function () {
      leave();
      add(form, "in_tab", id);
    });
    document.addEventListener("visibilitychange", function () {
      if (document.visibilityState === "hidden" && !isSent) {
        stash();
        save();
      }
    });
    window.addEventListener("online", save);
    window.addEventListener("pageshow", function (event) { if (event.persisted) { isSent = false; } });
    Array.prototype.forEach.call(document.querySelectorAll("header a[hreflang]"), function (link) {
      link.addEventListener("click", function (event) {
        if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) { return; }
        if (link.getAttribute("aria-current")) { return; }
        event.preventDefault();
        leave();
        add(form, "keep", "again");
        add(form, "in_tab", id);
        form.action = link.href;
        form.submit();
      });
    });
  }

  try {
    var answered = /^#answered-([0-9a-z]+)$/.exec(location.hash);
    if (answered) {
      forget(function (record) { return record.id === answered[1]; });
      history.replaceState(null, "", location.pathname + location.search);
    }
    Array.prototype.forEach.call(document.querySelectorAll("form[action*='/logout/']"), function (form) {
      form.addEventListener("submit", function () { forget(function () { return true; }); });
    });
    Array.prototype.forEach.call(document.querySelectorAll("form[data-typed]"), follow);
  } catch (error) {
    /* An old browser, or one that keeps nothing: pages do without. */
  }
})();
