"""The window: PySide6 and nothing else. It gets its world as arguments (`shell.Workstation`).

``theme`` ``assets`` ``words``  tokens to palette, sheet, icons; where resources lie; how things are said
``language``                    which language they are said in, Qt's own words too
``commands`` ``palette``        every action once, with its key, menu place and tool-tip; Ctrl+K
``tasks`` ``bridge``            the only ways off the GUI thread, and the one way back from the change feed
``shell`` ``sign_in`` ``rail``  the main window
``worklist`` ``reading`` ``reporting`` ``schedule`` ``inbox`` ``settings``
                                the places: strangers to each other, they talk through session and archive
``widgets``                     small shared controls (panels, status words, empty and failed states)
"""

from workstation.ui.immortal import keep_constants_alive

keep_constants_alive()
