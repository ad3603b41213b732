"""The declared WAF: which sets judge at which sensitivity, and each exception with the request it is for.

Sensitivity is the Core Rule Set's paranoia level. 1 runs without tuning; a set stands at 2 where the proof
(`make waf`) shows that level 2 finds more attacks, without those of its signatures that deny what people
write. Prompts may be about code, so a set does not read the fields that hold free text, but for signatures
that the API's contract agrees with: a voice text never holds a script, an event handler or a script link.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from components.edge.armor_rules import DenyExpression, Exclusion, Rule, WafGroup, WafSetName, waf_sets

__all__ = ["CLOSED_PATHS", "SCANNERS", "form_rules", "waf_rules"]

# Closed at the load balancer in every environment, and refused by Cloud Armor in any spelling of the path.
CLOSED_PATHS: Final = ("/metrics", "/internal")
SCANNERS: Final = (
    # A lookup or a template, which a logger may follow.
    "${",
    "acunetix",
    "arachni",
    "bbscan",
    "commix",
    "dirbuster",
    "dirsearch",
    "feroxbuster",
    "fuzz faster u fool",
    "gobuster",
    "havij",
    "hydra",
    "jbrofuzz",
    "masscan",
    "nessus",
    "netsparker",
    "nikto",
    "nmap",
    "openvas",
    "paros/",
    "projectdiscovery",
    "skipfish",
    "sqlmap",
    "w3af",
    "webinspect",
    "wfuzz",
    "whatweb",
    "wpscan",
    "zaproxy",
    "zgrab",
    "zmeu",
)
_SENSITIVITY: Final[Mapping[WafSetName, int]] = {
    "sqli-v33-stable": 2,
    "xss-v33-stable": 2,
    "lfi-v33-stable": 1,
    "rfi-v33-stable": 2,
    "rce-v33-stable": 1,
    "protocolattack-v33-stable": 2,
    "scannerdetection-v33-stable": 1,
    "sessionfixation-v33-stable": 1,
    "java-v33-stable": 2,
    "nodejs-v33-stable": 1,
    "php-v33-stable": 3,
    "cve-canary": 1,
    "json-sqli-canary": 2,
}
# Rules with an expression are counted, and five parts go into one.
_GROUPS: Final[Sequence[Sequence[WafSetName]]] = (
    ("lfi-v33-stable", "sessionfixation-v33-stable", "java-v33-stable"),
    ("rfi-v33-stable", "scannerdetection-v33-stable"),
    ("nodejs-v33-stable", "php-v33-stable"),
    ("cve-canary", "json-sqli-canary"),
)


def _signatures(family: str, *numbers: int) -> tuple[str, ...]:
    return tuple(f"owasp-crs-v030301-id{number}-{family}" for number in numbers)


# Left out everywhere, each for requests of the corpus that it denies.
_OPT_OUTS: Final[Mapping[WafSetName, Sequence[str]]] = {
    "sqli-v33-stable": _signatures(
        "sqli",
        # Level 2: quotes, brackets, hyphens and operators, as prices, names and cookies of consent have them.
        *(942110, 942120, 942130, 942200, 942210, 942260, 942330, 942340, 942370),
        *(942190, 942300, 942400, 942430, 942440, 942480, 942510),
        # Level 1: a verb behind a semicolon or before a noun, as in "do not delete it; update my account".
        *(942350, 942360),
    ),
    "xss-v33-stable": _signatures(
        "xss",
        # Level 1: an image in JSON as a data URI; Japanese and Chinese, whose bytes look like a bracket's.
        *(941130, 941170, 941310),
        # Level 2: any element and attribute, any bracket behind a quote.
        *(941150, 941320, 941330, 941340),
    ),
    # Levels 2 and 3: any mention of a function or a variable, a question mark before a bracket's end.
    "php-v33-stable": _signatures("php", 933111, 933131, 933151, 933190),
    # Level 2: "the Java runtime".
    "java-v33-stable": _signatures("java", 944250),
}
# Left out where the body is a file or a multipart form: its own headers, arrows of subtitles, XML, and bytes
# of pictures and sound, which hold any two or three characters sooner or later.
_FILE_OPT_OUTS: Final[Mapping[WafSetName, Sequence[str]]] = {
    "sqli-v33-stable": _signatures("sqli", 942180, 942310),
    "xss-v33-stable": _signatures("xss", 941100, 941160, 941180, 941380),
    "rfi-v33-stable": _signatures("rfi", 931130),
    "rce-v33-stable": _signatures("rce", 932115, 932130),
    "protocolattack-v33-stable": _signatures("protocolattack", 921120),
    "php-v33-stable": _signatures("php", 933100, 933161, 933180),
}
# Fields with the customer's text: what is spoken, and what describes a film. They may be about code, and are
# data to the application. Compared by the end, whatever stands before a nested field's name.
_FREE_TEXT: Final = ("text", "prompt", "content", "script", "lyrics")
# Signatures of markup that quoted code has by nature; others still read these fields, so elements that run,
# event handlers and script links are denied there, and the contract refuses them too. None reads a prompt.
_MARKUP_OF_TEXTS: Final = _signatures("xss", 941100, 941140, 941160, 941180, 941380)
# Senders who sign each request, and whose reports quote other people's text.
_SIGNED_HOOKS: Final = tuple(
    f"/webhooks/{name}" for name in ("alerts", "github", "gitlab", "intercom", "slack", "stripe")
)


# Fields that hold addresses of other hosts, which is all that level 2 of rfi looks for: urls, sources,
# pictures, callbacks, backgrounds, websites, home pages. Ten is Google's number for one target.
_ADDRESSES: Final = ("ur", "link", "href", "hook", "back", "image", "media", "site", "page", "pdf")
# Fields of other free text, in which a line may begin with an address.
_MESSAGES: Final = ("message", "description", "comment", "note", "body")
# Fields of short texts; there as in messages a word may stand before a bracket, like a call: "end (2)".
_TITLES: Final = ("title", "filename", "subject", "label", "q")
# Level 2 of sqli: functions, orders and conditions without a quote, which people also write as English.
_CLAUSES: Final = _signatures("sqli", 942150, 942380, 942390, 942410)


def _free_text(*signatures: str, names: Sequence[str] = _FREE_TEXT) -> tuple[Exclusion, ...]:
    return tuple(
        Exclusion(part="query_param", operator="ENDS_WITH", value=name, signatures=signatures)
        for name in names
    )


_EXCLUSIONS: Final[Mapping[WafSetName, Sequence[Exclusion]]] = {
    "sqli-v33-stable": (
        *_free_text(),
        *_free_text(*_CLAUSES, names=(*_MESSAGES, *_TITLES)),
    ),
    "xss-v33-stable": (*_free_text(*_MARKUP_OF_TEXTS), *_free_text(names=("prompt",))),
    "lfi-v33-stable": _free_text(),
    "rfi-v33-stable": (
        *_free_text(names=(*_FREE_TEXT, *_MESSAGES)),
        *(
            Exclusion(
                part="query_param", operator="CONTAINS", value=name, signatures=_signatures("rfi", 931130)
            )
            for name in _ADDRESSES
        ),
    ),
    "rce-v33-stable": _free_text(),
    "protocolattack-v33-stable": _free_text(),
    "java-v33-stable": _free_text(),
    "nodejs-v33-stable": _free_text(),
    "php-v33-stable": (
        *_free_text(),
        *_free_text(*_signatures("php", 933160, 933161), names=(*_MESSAGES, *_TITLES)),
    ),
}
_EXEMPT_PATHS: Final[Mapping[WafSetName, Sequence[str]]] = {
    "sqli-v33-stable": _SIGNED_HOOKS,
    "xss-v33-stable": _SIGNED_HOOKS,
    "rce-v33-stable": _SIGNED_HOOKS,
}

# Regular expressions for texts that are decoded twice, without backslashes (`armor_compiler.py`).
_INCLUSION: Final = (
    "(?i:(?:^|&)(?:files?|page|path|template|theme|include|inc|dir|doc|document|root|load|module|layout|"
    "conf|config|url|uri|src|link|lang|language|locale|view|resource|img)=(?:https?|ftps?):|"
    "include *[(]? *[^a-z ]https?:)"
)
_WRAPPER: Final = "(?i:(?:^|[= ])(?:php|data|expect|zip|phar|gopher|dict|jar|ldaps?|netdoc|file):/)"
_TEMPLATE: Final = "[$#%][{]|[{][{].*[}][}]|<%"
# In headers that are logged: the lookups that a logger follows.
_LOOKUP: Final = "[$][{]"
_NO_ADDRESS: Final = "['<>(){}$;|]"
_SEVEN_BITS: Final = "[+ ]ADw-"
_NODE: Final = (
    "(?i:child_process|process[.]mainmodule|__proto__|constructor[.](?:prototype|constructor)|"
    "require *[(] *[^a-z ])"
)
_PHP: Final = (
    "(?i:(?:system|passthru|shell_exec|popen|proc_open|assert|preg_replace|call_user_func|phpinfo)[(]|"
    "[)][(]')"
)
_SERIALIZED: Final = "(?:^|[=;{ ])[OCa]:[0-9]+:[^a-z0-9]|rO0AB|class[.]module[.]|java[.]lang"
_FILES: Final = "(?i:=[.](?:env|git|ssh|aws|ht)|[a-z]:.windows|(?:win|boot)[.]ini)"
_SHELL: Final = (
    "(?i:(?:(?:[;|`] ?|&& ?|[$][(] ?)(?:/[a-z/]*/)?(?:id|whoami|uname|cat|ls|ps|pwd|curl|wget|nc|ncat|bash|"
    "sh|zsh|python[0-9.]*|perl|ruby|ping|nslookup|dig|sleep|chmod|rm|env|printenv|ifconfig|powershell|cmd|"
    "net user|echo|touch|crontab|mkfifo)|& ?(?:cmd|powershell|whoami|net user))(?:[^a-z0-9=_.-]|[.]exe|$)|"
    "/[?][?])"
)
_STATEMENT: Final = (
    "(?i:'[ )]*(?:-- *(?:$|&|-)|#(?:$|&)|/[*]|; *(?:select|insert|update|delete|drop|alter|create|exec)|"
    "(?:x?or|and) +[('0-9])|[{[][^a-z]?[$](?:ne|gte?|lte?|regex|where|n?in|exists|or)(?:[^a-z]|$)|"
    "union(?: all)? select )"
)
_MARKUP: Final = (
    "(?i:<(?:script|img|svg|iframe|body|object|embed|video|details|input|style|link|meta|base|form)[^a-z]|"
    "javascript:|[^a-z]on(?:error|load|click|focus|mouse|toggle)[a-z]* *=)|[.][.]/"
)
_PATH_INJECTION: Final = (
    "/[.][.]?(?:/|$)|(?:&|%26){2}|(?i:(?:%20|[+])(?:union|select)(?:%20|[+])|"
    "%20(?:and|or)%20[0-9]+(?:=|%3D)|javascript(?::|%3A))"
)
# What other software has and scanners ask for; the API has none of it, and would answer 404 as well.
_FOREIGN: Final = (
    "(?i:^/+(?:admin|debug|console|actuator|manager|phpmyadmin|pma|wp-[a-z-]+|cgi-bin|server-(?:status|info)|"
    "vendor|solr|jenkins|_profiler|hnap1|boaform)(?:/|$)|[.](?:php[0-9]?|phtml|aspx?|jspx?|cgi|cfm|bak|swp|"
    "old|sql)(?:/|$))"
)
# Paths of the API are letters, digits and a few marks, other scripts percent-encoded as UTF-8, an apostrophe
# before a letter: no other quotes, no brackets, semicolons, encoded slashes or dots, nothing encoded twice.
_PATH: Final = (
    "^/(?:[A-Za-z0-9/_.~!&+,=:@()-]|%(?:2[01368BbCc9]|3[AaDdFf]|40|5[BbDd])|(?:'|%27)[A-Za-z]|"
    "(?:'|%27)?%(?:[89ABDEabde][0-9A-Fa-f]|[Cc][2-9A-Fa-f]|[Ff][0-4]))*$"
)
_FIXED_SESSION: Final = "(?i:(?:^|&)(?:php|j|asp)?sess(?:ion)?_?id=)"


def _twice_decoded(attribute: str, *patterns: str) -> str:
    return f'{attribute}.urlDecodeUni().urlDecodeUni().matches("{"|".join(patterns)}")'


def _header(name: str, *patterns: str) -> str:
    header = f"request.headers['{name}']"
    return f"(has({header}) && {_twice_decoded(header, *patterns)})"


def form_rules() -> list[Rule]:
    """Denials by the form of a request, whatever a set says: what sets do not read, or read undecoded.

    The sets of version 3.3 read no path for SQL or commands, few headers, and know little of Node.js, of
    templates and of files included by address.
    """
    closed = "|".join(path.removeprefix("/") for path in CLOSED_PATHS)
    return [
        DenyExpression(
            position=0,
            expression=(
                f"request.path.matches('^/+(?i:{closed})(?:/|%20|$)') || "
                f'request.path.matches("{_PATH_INJECTION}|{_FOREIGN}") || '
                f'!request.path.matches("{_PATH}") || size(request.path) > 1024'
            ),
            description="Internal paths and malformed ones",
            status=404,
        ),
        DenyExpression(
            position=1,
            expression="request.query != '' && (size(request.query) > 4096 || "
            + " || ".join(
                _twice_decoded("request.query", *patterns)
                for patterns in (
                    (_INCLUSION, _WRAPPER, _TEMPLATE, _NODE, _FIXED_SESSION),
                    (_SHELL, _STATEMENT),
                    (_PHP, _SERIALIZED, _SEVEN_BITS, _MARKUP, _FILES),
                )
            )
            + ")",
            description="Injections in the query, endless queries",
        ),
        DenyExpression(
            position=2,
            expression=" || ".join(
                (
                    _header("referer", _TEMPLATE, _STATEMENT, _SERIALIZED, "[$][(]"),
                    _header("cookie", _WRAPPER, _TEMPLATE, _NODE, _PHP, _SERIALIZED, _SHELL, _SEVEN_BITS),
                )
            ),
            description="Injections in referer and cookies",
        ),
        DenyExpression(
            position=3,
            expression=(
                f"{_header('x-api-version', _LOOKUP, _SERIALIZED)} || "
                # Two lengths of one body: the form of a smuggled request.
                "(has(request.headers['transfer-encoding']) && has(request.headers['content-length']))"
            ),
            description="Lookups in a version, bodies with two lengths",
        ),
        DenyExpression(
            position=4,
            # The first is a list of addresses.
            expression=f"{_header('x-forwarded-for', _NO_ADDRESS)} || {_header('authorization', _LOOKUP)}",
            description="Injections in address and authorization",
        ),
    ]


def waf_rules() -> list[Rule]:
    """The preconfigured sets with their exceptions."""
    sets = {
        each.rule_set: each
        for each in waf_sets(
            _SENSITIVITY,
            exclusions=_EXCLUSIONS,
            opt_outs=_OPT_OUTS,
            file_opt_outs=_FILE_OPT_OUTS,
            exempt_paths=_EXEMPT_PATHS,
        )
    }
    groups = [WafGroup(sets=[sets.pop(name) for name in names]) for names in _GROUPS]
    return [*sets.values(), *groups]
